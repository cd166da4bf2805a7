package io.taskbroker;

import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.Ownership;
import io.taskbroker.store.Ownership.Taken;
import io.taskbroker.store.StoreException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The rows of partitions that come and go, between a store that brokers share and the engine.
/// Thread-safe, and blocks as its store does.
final class PartitionHandoff implements PartitionOwnership {
  private static final Logger log = LoggerFactory.getLogger(PartitionHandoff.class);
  private static final int PAGE = 1_000;

  private final Ownership ownership;
  private final CommandSink intake;
  private final InstantSource clock;

  PartitionHandoff(Ownership ownership, CommandSink intake, InstantSource clock) {
    this.ownership = ownership;
    this.intake = intake;
    this.clock = clock;
  }

  @Override
  public boolean moves() {
    return true;
  }

  /// @return none: every partition is taken
  @Override
  public List<Watermark> watermarks() {
    return List.of();
  }

  /// @return none: a database that brokers share has copies of its own
  @Override
  public Map<SourcePartition, Long> lows() {
    return Map.of();
  }

  @Override
  public Optional<List<Watermark>> take(SourcePartition partition, int generation) {
    return asked(() -> {
      Optional<Taken> taken = ownership.take(partition, generation);
      taken.ifPresent(it -> restore(partition, it.released()));
      return taken.map(Taken::watermarks);
    });
  }

  @Override
  public void release(SourcePartition partition, boolean drained) {
    if (!drained) {
      // What the engine could not end in time is for whoever has the partition next.
      intake.submit(new Command.PartitionRevoked(partition, true));
    }
    asked(() -> {
      ownership.release(partition, drained);
      return partition;
    });
  }

  /// Tells the engine of all rows of a partition that is this broker's, page by page.
  ///
  /// @param inOrder whether no worker has what is pending
  void restore(SourcePartition partition, boolean inOrder) {
    long rows = 0;
    List<Row> page = ownership.load(partition, Row.NONE, PAGE);
    while (!page.isEmpty()) {
      rows += page.size();
      tell(partition, page, List.of(), Map.of(), List.of(), inOrder);
      page = ownership.load(partition, page.getLast().key(), PAGE);
    }
    List<ParkedRow> parked = ownership.loadParked(partition, Row.NONE, PAGE);
    while (!parked.isEmpty()) {
      rows += parked.size();
      tell(partition, List.of(), parked, Map.of(), List.of(), inOrder);
      parked = ownership.loadParked(partition, parked.getLast().key(), PAGE);
    }
    // After the rows: a report that is recorded now is told by its notification (H3).
    tell(
        partition,
        List.of(),
        List.of(),
        tombstones(partition),
        ownership.reports(partition),
        inOrder);
    if (rows > 0) {
      log.info(
          "Took {} activations in flight of {}-{}", rows, partition.topic(), partition.partition());
    }
  }

  private Map<Fingerprint, Long> tombstones(SourcePartition partition) {
    var tombstones = new HashMap<Fingerprint, Long>();
    for (Tombstone each : ownership.tombstones(partition, clock.millis())) {
      tombstones.merge(each.id(), each.until(), Math::max);
    }
    return tombstones;
  }

  private void tell(
      SourcePartition partition,
      List<Row> rows,
      List<ParkedRow> parked,
      Map<Fingerprint, Long> tombstones,
      List<RemoteReport> reports,
      boolean inOrder) {
    intake.submit(
        new Command.PartitionLoaded(partition, rows, parked, tombstones, reports, inOrder));
  }

  private static <T> T asked(Supplier<T> question) {
    try {
      return question.get();
    } catch (StoreException e) {
      if (e.kind() == StoreException.Kind.FATAL) {
        throw e;
      }
      throw new Unavailable(String.valueOf(e.getMessage()), e);
    }
  }
}
