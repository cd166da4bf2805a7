package io.taskbroker.simulation;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.SharedInMemoryStore;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A broker's view of a shared store, like that of the lease watcher of a database: its lease, of
/// which half is reported to the broker, partitions lost while it was frozen, and reports to other
/// brokers (H3, H11).
final class Lease {
  private static final long LEASE = 10 * SimulatedWorld.SECOND;

  private final SimulatedProcess process;
  private final SimulatedWorld world;
  private final SharedInMemoryStore store;
  private final CommandSink sink;
  private final Ticker ticker;
  private final InstantSource clock;
  private long toldUntil = Long.MIN_VALUE;
  private long toldWallUntil = Long.MIN_VALUE;
  private long renewals;

  Lease(
      SimulatedProcess process,
      SimulatedWorld world,
      SharedInMemoryStore.Disk disk,
      CommandSink sink,
      Ticker ticker,
      InstantSource clock) {
    this.process = process;
    this.world = world;
    this.store = new SharedInMemoryStore(disk, process.broker.name, this::recorded);
    this.sink = sink;
    this.ticker = ticker;
    this.clock = clock;
  }

  SharedInMemoryStore store() {
    return store;
  }

  /// Whether tasks may be delivered, as far as the broker knows.
  boolean holds() {
    return world.now() < toldUntil;
  }

  private void recorded(List<RemoteReport> reports) {
    process.later(
        process.latency(),
        "recorded by others",
        () -> {
          world.count("remote reports received");
          sink.submit(new Command.RemoteReportsRead(reports));
        });
  }

  /// Renews the lease, now and periodically.
  void renew() {
    boolean stoodStill = world.now() > toldUntil || clock.millis() > toldWallUntil;
    if (stoodStill || !store.isLive()) {
      for (SourcePartition lost : store.lost()) {
        world.count("partitions found lost");
        sink.submit(new Command.PartitionLost(lost.topic(), lost.partition()));
      }
    }
    store.renew();
    if (renewals == 0) {
      sink.submit(new Command.RemoteReportsRead(store.missedReports()));
    }
    toldUntil = world.now() + LEASE / 2;
    toldWallUntil = clock.millis() + LEASE / 2 / SimulatedWorld.MS;
    sink.submit(
        new Command.LeaseRenewed(
            TimeUnit.NANOSECONDS.toMillis(ticker.nanoTime() + LEASE / 2), toldWallUntil));
    long number = ++renewals;
    world.after(
        LEASE,
        "lease ends",
        () -> {
          if (number == renewals) {
            store.lapse();
          }
        });
    process.later(LEASE / 5, "lease", this::renew);
  }
}
