package io.taskbroker;

import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.Ownership;
import io.taskbroker.store.StoreException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hand-off of partition rows between a store that brokers share and the engine. Thread-safe;
/// blocks as its store does.
final class PartitionHandoff implements PartitionOwnership {
  private static final Logger log = LoggerFactory.getLogger(PartitionHandoff.class);
  private static final int PAGE = 1_000;

  private final Ownership ownership;
  private final ActivationStore history;
  private final CommandSink intake;
  private final InstantSource clock;

  /// How far partitions had been consumed before the store went back, until their rows are loaded:
  /// the store tells it once, and loading may fail.
  private final Map<SourcePartition, Long> unloaded = new ConcurrentHashMap<>();

  /// How far partitions had been consumed before the store went back, until they are consumed as
  /// far again: a partition may be released and come back before that.
  private final Map<SourcePartition, Long> unread = new ConcurrentHashMap<>();

  /// Partitions of which the engine may have rows, and which were not released since.
  private final Set<SourcePartition> loaded = ConcurrentHashMap.newKeySet();

  /// @param history the same store
  PartitionHandoff(
      Ownership ownership, ActivationStore history, CommandSink intake, InstantSource clock) {
    this.ownership = ownership;
    this.history = history;
    this.intake = intake;
    this.clock = clock;
  }

  @Override
  public boolean moves() {
    return true;
  }

  /// @return empty: ownership of every partition is acquired separately
  @Override
  public List<Watermark> watermarks() {
    return List.of();
  }

  /// @return empty: a shared database has its own copies
  @Override
  public Map<SourcePartition, Long> lows() {
    return Map.of();
  }

  @Override
  public StorePosition position() {
    return history.position();
  }

  @Override
  public StorePosition handedOut() {
    return history.handedOut();
  }

  @Override
  public Optional<PartitionOwnership.Taken> take(
      SourcePartition partition, int generation, @Nullable Noted noted) {
    return query(() -> {
      Optional<Ownership.Taken> taken = ownership.take(partition, generation);
      return taken.map(it -> {
        long reached =
            Math.max(
                reached(partition, it, noted),
                Math.max(unloaded(partition), unread(partition, it)));
        if (reached != Watermark.NONE) {
          unloaded.put(partition, reached);
          unread.put(partition, reached);
        }
        if (loaded.remove(partition) && !it.alreadyOwned()) {
          throw new Interrupted(partition);
        }
        loaded.add(partition);
        if (reached != Watermark.NONE) {
          int rows = ownership.countAsHandedOut(partition, clock.millis());
          log.error(
              "The store lost rows of {}-{}: it went back in time. {} of its at-most-once tasks"
                  + " may have been delivered since, so their failure policy applies",
              partition.topic(),
              partition.partition(),
              rows);
        }
        restore(partition, it.released() && reached == Watermark.NONE);
        unloaded.remove(partition);
        return new PartitionOwnership.Taken(it.watermarks(), reached);
      });
    });
  }

  private long unloaded(SourcePartition partition) {
    return unloaded.getOrDefault(partition, Watermark.NONE);
  }

  private long unread(SourcePartition partition, Ownership.Taken taken) {
    long reached = unread.getOrDefault(partition, Watermark.NONE);
    if (reached != Watermark.NONE && next(partition, taken) >= reached) {
      unread.remove(partition);
      return Watermark.NONE;
    }
    return reached;
  }

  private static long next(SourcePartition partition, Ownership.Taken taken) {
    return taken.watermarks().stream()
        .filter(watermark -> watermark.partition().equals(partition))
        .mapToLong(Watermark::next)
        .findAny()
        .orElse(Watermark.NONE);
  }

  /// Offset up to which the partition had been consumed if the store went back in time since, as
  /// known to this broker or to Kafka; [Watermark#NONE] if it did not.
  private long reached(SourcePartition partition, Ownership.Taken taken, @Nullable Noted noted) {
    long known = taken.reached().map(Watermark::next).orElse(Watermark.NONE);
    if (noted == null) {
      return known;
    }
    long next = next(partition, taken);
    boolean behind = next != Watermark.NONE && next < noted.committed();
    return behind || history.lacks(noted.position()) ? Math.max(known, noted.committed()) : known;
  }

  @Override
  public void release(SourcePartition partition, boolean drained) {
    unloaded.remove(partition);
    loaded.remove(partition);
    if (!drained) {
      // The next owner continues what the engine could not finish in time.
      intake.submit(new Command.PartitionRevoked(partition, true));
    }
    query(() -> {
      ownership.release(partition, drained);
      return partition;
    });
  }

  /// Passes all rows of an owned partition to the engine, page by page, each with the reports on
  /// its rows: should the store fail before the last page, what was passed is not delivered in
  /// spite of a report (G2).
  ///
  /// @param inOrder whether no worker has any of the pending tasks
  void restore(SourcePartition partition, boolean inOrder) {
    long rows = 0;
    List<RemoteReport> reports = ownership.reports(partition);
    List<Row> page = ownership.load(partition, Row.NONE, PAGE);
    while (!page.isEmpty()) {
      rows += page.size();
      submit(
          partition, page, List.of(), Map.of(), on(page.stream().map(Row::key), reports), inOrder);
      page = ownership.load(partition, page.getLast().key(), PAGE);
    }
    List<ParkedRow> parked = ownership.loadParked(partition, Row.NONE, PAGE);
    while (!parked.isEmpty()) {
      rows += parked.size();
      submit(
          partition,
          List.of(),
          parked,
          Map.of(),
          on(parked.stream().map(ParkedRow::key), reports),
          inOrder);
      parked = ownership.loadParked(partition, parked.getLast().key(), PAGE);
    }
    // After the rows: a report recorded from now on arrives by its notification (H3).
    submit(
        partition,
        List.of(),
        List.of(),
        tombstones(partition),
        ownership.reports(partition),
        inOrder);
    if (rows > 0) {
      log.info(
          "Loaded {} activations in flight of {}-{}",
          rows,
          partition.topic(),
          partition.partition());
    }
  }

  /// The reports on rows of these keys. Nearly always there are none.
  private static List<RemoteReport> on(Stream<Long> keys, List<RemoteReport> reports) {
    if (reports.isEmpty()) {
      return List.of();
    }
    Set<Long> of = keys.collect(Collectors.toSet());
    return reports.stream().filter(report -> of.contains(report.key())).toList();
  }

  private Map<Fingerprint, Long> tombstones(SourcePartition partition) {
    var tombstones = new HashMap<Fingerprint, Long>();
    for (Tombstone each : ownership.tombstones(partition, clock.millis())) {
      tombstones.merge(each.id(), each.until(), Math::max);
    }
    return tombstones;
  }

  private void submit(
      SourcePartition partition,
      List<Row> rows,
      List<ParkedRow> parked,
      Map<Fingerprint, Long> tombstones,
      List<RemoteReport> reports,
      boolean inOrder) {
    intake.submit(
        new Command.PartitionLoaded(partition, rows, parked, tombstones, reports, inOrder));
  }

  private static <T> T query(Supplier<T> question) {
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
