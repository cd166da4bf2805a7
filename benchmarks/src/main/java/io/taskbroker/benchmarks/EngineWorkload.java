package io.taskbroker.benchmarks;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Engine;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.EnginePorts;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.OffsetPort;
import io.taskbroker.inflight.api.OutboxPort;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.PushPort;
import io.taskbroker.inflight.api.StorePort;
import io.taskbroker.inflight.api.TokenEpoch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// The real engine with instant, nearly free effects, so that only the engine is measured. Push
/// mode, one application, single reports. Not thread-safe.
public final class EngineWorkload
    implements StorePort, PushPort, OutboxPort, OffsetPort, EventPort {
  /// Start of its clock, in milliseconds since the epoch.
  static final long WALL = 1_700_000_000_000L;

  private static final String APPLICATION = "bench";
  private static final int MUCH = 50_000_000;
  private static final int PAYLOAD = 500;
  private static final byte[] BYTES = new byte[PAYLOAD];
  private static final long HOUR = 3_600_000;
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "topic-uuid", "bench", 0);

  private final Command.ReportReply reply = new CountedReply();
  private final Engine engine;
  private final SplittableRandom random = new SplittableRandom(42);
  private final List<Change> fresh = new ArrayList<>();
  private final ArrayDeque<Delivery> pushed = new ArrayDeque<>();
  private long now;
  private long wall = WALL;
  private long offset;
  private long changes;
  private long consumed;
  private long replies;

  public EngineWorkload() {
    this(0);
  }

  /// @param finishedRetention how long finished tasks leave records, milliseconds; 0 for none
  EngineWorkload(long finishedRetention) {
    var limits = new EngineOptions.Limits(MUCH, MUCH, MUCH, 5, 0, Long.MAX_VALUE / 4, MUCH, 1_000);
    var periods = new EngineOptions.Periods(3_000, 24 * HOUR, 500, 0, 0, 24 * HOUR, HOUR);
    var options =
        new EngineOptions(
            Set.of(APPLICATION), "bench", "bench-dlq", limits, periods, false, finishedRetention);
    var ports = new EnginePorts(this, this, this, this, this);
    engine = new Engine(options, ports, random, TokenEpoch.at(WALL, 1));
    engine.advance(now, wall);
    engine.start(0);
    engine.apply(new Command.PartitionAssigned(PARTITION, 0));
    step();
  }

  /// Records like those of a poll.
  ///
  /// @param delayMillis delay from now; 0 for none
  public Command.Ingest records(int count, long delayMillis) {
    var arrivals = new ArrayList<Command.IngestedRecord>(count);
    for (int i = 0; i < count; i++) {
      var hex = HexFormat.of();
      var activation =
          new Activation(
              hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong()),
              APPLICATION,
              "bench",
              "bench.sleep",
              BYTES,
              new Origin("bench", 0, offset++),
              wall,
              Activation.NEVER,
              delayMillis == 0 ? 0 : wall + delayMillis + i,
              100_000,
              FailurePolicy.DISCARD,
              false,
              false);
      arrivals.add(new Command.IngestedRecord(activation, null));
    }
    return new Command.Ingest(PARTITION, arrivals, offset, (long) count * PAYLOAD);
  }

  /// Ingests and stores records, and lets workers accept the ready tasks, which are added to the
  /// list.
  public void arrive(Command.Ingest records, List<Delivery> running) {
    engine.apply(records);
    settle(running);
  }

  /// Lets workers complete tasks, and waits until that is durable.
  public void complete(List<Delivery> running) {
    for (Delivery delivery : running) {
      engine.apply(
          new Command.Report(
              List.of(new Command.Update(delivery.id(), Status.COMPLETE, -1, -1)), null, reply));
    }
    running.clear();
    settle(running);
  }

  /// Advances the clock, so that deferred status updates are written as well.
  public void pass(long millis) {
    now += millis;
    wall += millis;
    settle(new ArrayList<>());
  }

  private void settle(List<Delivery> running) {
    step();
    while (!fresh.isEmpty() || !pushed.isEmpty()) {
      if (!fresh.isEmpty()) {
        var committed = new Command.Committed(List.copyOf(fresh));
        fresh.clear();
        engine.apply(committed);
      }
      Delivery delivery = pushed.poll();
      while (delivery != null) {
        engine.apply(new Command.PushEnded(delivery, PushOutcome.ACCEPTED, ""));
        running.add(delivery);
        delivery = pushed.poll();
      }
      step();
    }
  }

  private void step() {
    engine.advance(now, wall);
  }

  /// Number of changes written so far.
  public long changes() {
    return changes;
  }

  /// Number of reports acknowledged so far.
  public long replies() {
    return replies;
  }

  /// Number of records whose offsets may be committed.
  public long consumed() {
    return consumed;
  }

  @Override
  public void write(Change change) {
    changes++;
    fresh.add(change);
  }

  @Override
  public void push(Delivery delivery) {
    pushed.add(delivery);
  }

  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    consumed += records;
  }

  @Override
  public void readParked(
      String application, int priority, long afterDue, long afterKey, long upTo, int limit) {
    throw new IllegalStateException("No tasks are parked");
  }

  @Override
  public void produce(OutboxRecord record) {
    throw new IllegalStateException("Unexpected record: " + record);
  }

  @Override
  public void drained(SourcePartition partition) {}

  @Override
  public void lost(SourcePartition partition) {}

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
  public void unexpected(Change change, ChangeOutcome outcome) {
    throw new IllegalStateException(outcome + " of " + change);
  }

  @Override
  public void event(EngineEvent event, Activation about, long age, String detail) {
    if (event.isLogged()) {
      event(event, about.id(), detail);
    }
  }

  @Override
  public void event(EngineEvent event, String id, String detail) {
    throw new IllegalStateException(event + " of " + id + ": " + detail);
  }

  /// Row of a task, for stores.
  public static Row row(long key, Command.IngestedRecord arrival) {
    return Row.arriving(key, arrival.activation(), Status.PENDING, WALL);
  }

  private final class CountedReply implements Command.ReportReply {
    @Override
    public void done(@Nullable Delivery next) {
      replies++;
    }

    @Override
    public void unavailable(String why) {
      throw new IllegalStateException(why);
    }
  }
}
