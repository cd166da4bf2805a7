package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.EngineOptions.Limits;
import io.taskbroker.inflight.EngineStats;
import io.taskbroker.ingest.SteppedReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What is under way in one life of a broker, counted between its stages, and how much of it there
/// may be (G7). Checked whenever it grows.
final class StageBounds {
  /// A row may have its mark, its proof, its leave and its delete under way.
  private static final int CHANGES_OF_A_ROW = 4;

  private final BrokerRun run;
  private final Limits limits;
  private final Map<SourcePartition, Integer> ahead = new HashMap<>();
  private final Map<String, Integer> calls = new HashMap<>();
  private int arrivals;
  private int changes;
  private long waitingSince;

  StageBounds(BrokerRun run, Limits limits) {
    this.run = run;
    this.limits = limits;
  }

  private static int arrivals(List<Change> of) {
    return (int)
        of.stream()
            .filter(
                each -> each instanceof Change.Insert || each instanceof Change.AdvanceWatermark)
            .count();
  }

  /// Changes go to the store.
  void submitted(List<Change> more) {
    if (changes <= 0) {
      waitingSince = run.now();
    }
    arrivals += arrivals(more);
    changes += more.size();
    int rows = run.broker.disk.rows().size() + arrivals;
    check(
        arrivals <= limits.maxChanges(),
        "G7",
        () -> run + " takes in what the store cannot keep up with: " + arrivals + " changes");
    check(
        changes <= limits.maxChanges() + CHANGES_OF_A_ROW * rows,
        "G7",
        () -> run + " has " + changes + " changes under way, of " + rows + " rows");
  }

  /// They are durable.
  void committed(List<Change> done) {
    arrivals -= arrivals(done);
    changes -= done.size();
    waitingSince = run.now();
  }

  /// Whether no call and no change is under way.
  boolean isIdle() {
    return changes <= 0 && calls.values().stream().allMatch(count -> count <= 0);
  }

  /// Since when changes wait, and none was committed; now if none does.
  long waitingSince() {
    return changes > 0 ? waitingSince : run.now();
  }

  /// Records go to the engine.
  void handedOver(Command.Ingest records) {
    ahead.merge(records.partition(), records.arrivals().size(), Integer::sum);
    String topic = records.partition().topic();
    int all = 0;
    int most = SteppedReader.READ_AHEAD;
    for (Map.Entry<SourcePartition, Integer> each : ahead.entrySet()) {
      if (each.getKey().topic().equals(topic)) {
        all += each.getValue();
        most += SimulatedConsumer.MAX_RECORDS; // by one more poll
      }
    }
    int read = all;
    check(all <= most, "G7", () -> run + " reads " + read + " records of " + topic + " ahead");
  }

  /// The engine is done with some.
  void consumed(SourcePartition partition, int records) {
    ahead.computeIfPresent(partition, (_, count) -> Math.max(0, count - records));
  }

  /// What the engine had not taken in is dropped.
  void revoked(SourcePartition partition) {
    ahead.remove(partition);
  }

  void pushed(String application) {
    int now = calls.merge(application, 1, Integer::sum);
    check(
        now <= limits.maxCalls(),
        "G7",
        () -> run + " has " + now + " calls under way to " + application);
  }

  void answered(String application) {
    calls.merge(application, -1, Integer::sum);
  }

  /// Payloads in memory: at the bound nothing is taken in, but what came last may be over it.
  void counted(EngineStats census, long largest) {
    check(
        census.memoryBytes() <= limits.maxMemoryBytes() + largest,
        "G7",
        () -> run + " has " + census.memoryBytes() + " bytes in memory");
  }
}
