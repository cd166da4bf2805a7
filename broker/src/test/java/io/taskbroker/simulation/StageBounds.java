package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineOptions.Limits;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.ingest.SteppedReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Number of items between the stages of one broker process, checked against the bounds whenever it
/// grows (G7).
final class StageBounds {
  /// A row may have a status update, a confirmation, a forward and a delete pending.
  private static final int CHANGES_OF_A_ROW = 4;

  private final SimulatedProcess process;
  private final Limits limits;
  private final Map<SourcePartition, Integer> ahead = new HashMap<>();
  private final Map<String, Integer> calls = new HashMap<>();
  private int arrivals;
  private int changes;
  private long waitingSince;

  StageBounds(SimulatedProcess process, Limits limits) {
    this.process = process;
    this.limits = limits;
  }

  private static int arrivals(List<Change> of) {
    return (int)
        of.stream()
            .filter(
                each ->
                    each instanceof Change.Insert
                        || each instanceof Change.Fire
                        || each instanceof Change.AdvanceWatermark)
            .count();
  }

  /// Changes were passed to the store.
  void submitted(List<Change> more) {
    if (changes <= 0) {
      waitingSince = process.now();
    }
    arrivals += arrivals(more);
    changes += more.size();
    int rows = process.broker.disk.rows().size() + arrivals;
    check(
        arrivals <= limits.maxChanges(),
        "G7",
        () -> process + " accepts more than the store can keep up with: " + arrivals + " changes");
    check(
        changes <= limits.maxChanges() + CHANGES_OF_A_ROW * rows,
        "G7",
        () -> process + " has " + changes + " pending changes, of " + rows + " rows");
  }

  /// The changes are durable.
  void committed(List<Change> done) {
    arrivals -= arrivals(done);
    changes -= done.size();
    waitingSince = process.now();
  }

  /// Whether no call and no change is pending.
  boolean isIdle() {
    return changes <= 0 && calls.values().stream().allMatch(count -> count <= 0);
  }

  /// Time of the last commit while changes are pending; now if none are.
  long waitingSince() {
    return changes > 0 ? waitingSince : process.now();
  }

  /// Records were passed to the engine.
  void handedOver(Command.Ingest records) {
    ahead.merge(records.partition(), records.arrivals().size(), Integer::sum);
    String topic = records.partition().topic();
    int all = 0;
    int most = SteppedReader.READ_AHEAD;
    for (Map.Entry<SourcePartition, Integer> each : ahead.entrySet()) {
      if (each.getKey().topic().equals(topic)) {
        all += each.getValue();
        most += SimulatedConsumer.MAX_RECORDS; // one more poll
      }
    }
    int read = all;
    check(all <= most, "G7", () -> process + " reads " + read + " records of " + topic + " ahead");
  }

  /// The engine is done with some records.
  void consumed(SourcePartition partition, int records) {
    ahead.computeIfPresent(partition, (_, count) -> Math.max(0, count - records));
  }

  /// Records that the engine has not accepted are dropped.
  void revoked(SourcePartition partition) {
    ahead.remove(partition);
  }

  void pushed(String application) {
    int now = calls.merge(application, 1, Integer::sum);
    check(
        now <= limits.maxCalls(),
        "G7",
        () -> process + " has " + now + " pending calls to " + application);
  }

  void answered(String application) {
    calls.merge(application, -1, Integer::sum);
  }

  /// Payload bytes in memory: at the bound nothing is accepted, but the last task may exceed it.
  void counted(EngineStats stats, long largest) {
    check(
        stats.memoryBytes() <= limits.maxMemoryBytes() + largest,
        "G7",
        () -> process + " has " + stats.memoryBytes() + " bytes in memory");
  }
}
