package io.taskbroker;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.postgres.Adoption;
import io.taskbroker.store.postgres.PostgresStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Periodic takeover of orphans, every `contention_drain_age_sec`: partitions and topics that no
/// longer exist, and tasks enqueued at a broker that is gone.
final class OrphanTakeover implements Service {
  private static final Logger log = LoggerFactory.getLogger(OrphanTakeover.class);
  private static final Duration SHORTEST = Duration.ofSeconds(1);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(2);
  private static final int ROWS = 1_000;

  /// Pseudo-partition of rows that belong to no partition.
  private static final SourcePartition NOWHERE = new SourcePartition("", "", "", "", -1);

  private final PostgresStore store;
  private final PartitionHandoff partitions;
  private final CommandSink intake;
  private final long intervalMillis;
  private final LoopThread thread;

  OrphanTakeover(
      PostgresStore store,
      PartitionHandoff partitions,
      CommandSink intake,
      Duration age,
      FailureSink failures) {
    this.store = store;
    this.partitions = partitions;
    this.intake = intake;
    this.intervalMillis = Math.max(SHORTEST.toMillis(), age.toMillis());
    this.thread = new LoopThread("orphan-takeover", this::turn, failures);
  }

  @Override
  public String name() {
    return "orphan-takeover";
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    if (!thread.stop(STOP_TIMEOUT)) {
      log.warn("The search for orphans is still running");
    }
  }

  private void turn() throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(intervalMillis);
    try {
      Adoption adoption = store.adopt(ROWS);
      while (!adoption.isEmpty() && !Thread.currentThread().isInterrupted()) {
        load(adoption);
        adoption = store.adopt(ROWS);
      }
    } catch (StoreException e) {
      if (e.kind() == StoreException.Kind.FATAL) {
        throw e;
      }
      log.warn("Searching for orphans failed, retrying: {}", e.getMessage());
    }
  }

  private void load(Adoption adoption) {
    for (SourcePartition partition : adoption.partitions()) {
      log.info("Taking over {}-{}, which no broker owns", partition.topic(), partition.partition());
      partitions.restore(partition, false);
    }
    int rows = adoption.rows().size() + adoption.parked().size();
    if (rows > 0) {
      log.info("Taking over {} activations of a broker that is gone", rows);
      intake.submit(
          new Command.PartitionLoaded(
              NOWHERE, adoption.rows(), adoption.parked(), Map.of(), List.of(), false));
    }
  }
}
