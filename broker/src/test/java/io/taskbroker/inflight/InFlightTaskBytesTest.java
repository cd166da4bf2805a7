package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.TokenEpoch;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// G7: the counted bytes of the tasks in memory are what they need of the heap, and not much more.
@Timeout(240)
final class InFlightTaskBytesTest {
  private static final int TASKS = 40_000;
  private static final int ROUND = 1_000;
  private static final int PAYLOAD = 100;
  private static final long WALL = 1_700_000_000_000L;
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "tasks", 0);

  /// Tolerance for other heap use, as a part of the tasks' need.
  private static final double NOISE = 0.03;

  private static final int COLLECTIONS = 6;
  private static final long SETTLED = 64 << 10;

  /// Kinds of tasks, with the maximum by which their need may exceed, or fall below, the counted
  /// bytes.
  enum Kind {
    READY(1, 0.6),
    EXPIRING(1, 0.6),
    DELAYED(1, 0.6),
    OF_LONG_NAMES(1, 0.6),
    OF_APPLICATIONS_OF_THEIR_OWN(1, 0.6),
    /// The queues of namespaces are not counted.
    OF_NAMESPACES_OF_THEIR_OWN(1.5, 0.6);

    private final double most;
    private final double least;

    Kind(double most, double least) {
      this.most = most;
      this.least = least;
    }

    private Activation task(int i) {
      String id = new UUID(i * 0x9E3779B97F4A7C15L, i).toString();
      return new Activation(
          this == OF_LONG_NAMES ? id.repeat(14) : id,
          this == OF_APPLICATIONS_OF_THEIR_OWN ? "application-" + i : "app",
          this == OF_NAMESPACES_OF_THEIR_OWN ? "namespace-" + i : "ns",
          this == OF_LONG_NAMES ? id.repeat(28) : "task",
          new byte[PAYLOAD],
          new Origin("tasks", 0, i),
          WALL,
          this == EXPIRING ? WALL + 1_000_000 : Activation.NEVER,
          this == DELAYED ? WALL + 1_000 : 0,
          10,
          FailurePolicy.DISCARD,
          false,
          false);
    }
  }

  @ParameterizedTest
  @EnumSource
  void g7CountedBytesMatchTheHeap(Kind kind) {
    long before = used();
    var store = new NoStore();
    var engine = new Engine(unbounded(), store.ports(), new SplittableRandom(1), new TokenEpoch(1));
    engine.advance(0, WALL);
    engine.start(0);
    engine.apply(new Command.PartitionAssigned(PARTITION, 0));
    for (int at = 0; at < TASKS; at += ROUND) {
      takeIn(engine, kind, at);
      store.commit(engine);
    }
    double used = used() - before;
    Depths depths = Depths.of(engine);
    assertThat(depths.pending() + depths.delayed()).isEqualTo(TASKS);
    assertThat(used / depths.memoryBytes())
        .as(
            "bytes that each needs, of which %d are counted: %d, the share of that",
            depths.memoryBytes() / TASKS, (long) used / TASKS)
        .isBetween(kind.least - NOISE, kind.most + NOISE);
  }

  private static EngineOptions unbounded() {
    int much = 1 << 30;
    return RigOptions.pull()
        .maxPending(much)
        .maxDelayed(much)
        .maxChanges(much)
        .maxMemoryBytes(1L << 40)
        .build();
  }

  private static void takeIn(Engine engine, Kind kind, int from) {
    var arrivals = new ArrayList<Command.IngestedRecord>(ROUND);
    for (int i = from; i < from + ROUND; i++) {
      arrivals.add(new Command.IngestedRecord(kind.task(i), null));
    }
    engine.apply(new Command.Ingest(PARTITION, arrivals, from + ROUND, ROUND * PAYLOAD));
    engine.advance(0, WALL);
  }

  /// Used bytes when nothing is left to collect. Objects that one collection finds unreachable
  /// through a reference go with the next one, and other threads allocate meanwhile.
  private static long used() {
    long least = Long.MAX_VALUE;
    long last = collect();
    for (int i = 1; i < COLLECTIONS && last < least - SETTLED; i++) {
      least = last;
      last = collect();
    }
    return Math.min(least, last);
  }

  private static long collect() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /// Reports every change as durable, and keeps nothing.
  private static final class NoStore implements AllPorts {
    private List<Change> fresh = new ArrayList<>();

    void commit(Engine engine) {
      while (!fresh.isEmpty()) {
        List<Change> done = fresh;
        fresh = new ArrayList<>();
        engine.apply(new Command.Committed(done));
        engine.advance(0, WALL);
      }
    }

    @Override
    public void write(Change change) {
      fresh.add(change);
    }

    @Override
    public void readParked(
        String application, int priority, long afterDue, long afterKey, long upTo, int limit) {
      throw new IllegalStateException("Nothing is parked");
    }

    @Override
    public void readRows(List<Long> keys, Object owner) {}

    @Override
    public void forwardReports(List<RemoteReport> reports, Object owner) {}

    @Override
    public void readReports(List<Long> keys, Object owner) {}

    @Override
    public void readFinished(String id, Object owner) {}

    @Override
    public void barrier(Object owner) {}

    @Override
    public void push(Delivery delivery) {}

    @Override
    public void produce(OutboxRecord record) {}

    @Override
    public void consumed(
        SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {}

    @Override
    public void drained(SourcePartition partition) {}

    @Override
    public void lost(SourcePartition partition) {}

    @Override
    public void unexpected(Change change, ChangeOutcome outcome) {}

    @Override
    public void event(EngineEvent event, Activation about, long age, String detail) {}

    @Override
    public void event(EngineEvent event, String id, String detail) {}
  }
}
