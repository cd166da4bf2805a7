package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.StoreException.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Store that fulfils the contract except durability: its data is on a [Disk] object, from which
/// another store can be opened, even if this one was never closed.
public final class InMemoryStore implements ActivationStore {
  static final Comparator<Row> BY_DUE =
      Comparator.<Row>comparingLong(Row::parkedUntil).thenComparingLong(Row::key);

  private final Disk disk;
  private final long epoch;
  private final StorePosition positionAtOpen;
  private StorePosition handedOut = StorePosition.NONE;
  private boolean closed;

  /// Opens a store on the disk and fences any earlier one.
  public InMemoryStore(Disk disk) {
    this.disk = disk;
    epoch = ++disk.epoch;
    disk.batch = -1;
    positionAtOpen = disk.position;
  }

  @Override
  public StorePosition position() {
    return disk.position;
  }

  @Override
  public StorePosition handedOut() {
    return handedOut;
  }

  @Override
  public boolean lacks(StorePosition noted) {
    return noted.epoch() != epoch
        && (noted.epoch() > positionAtOpen.epoch()
            || (noted.epoch() == positionAtOpen.epoch() && noted.batch() > positionAtOpen.batch()));
  }

  /// Marks at-most-once tasks as delivered if transactions that the store lost may have delivered
  /// them: all that are not delayed beyond `now`.
  public void countAsHandedOut(long now) {
    disk.rows.replaceAll((_, row) -> {
      boolean may = row.committed() && mayHaveRun(row, now);
      boolean parked = row.parkedUntil() != Row.NONE;
      return may ? marked(row, parked ? row.status() : Status.PROCESSING, !parked, now) : row;
    });
  }

  /// Whether a lost transaction may have delivered an at-most-once row.
  static boolean mayHaveRun(Row row, long now) {
    return row.activation().atMostOnce()
        && row.forwardTo() == null
        && (row.status() == Status.PENDING || row.status() == Status.DELAY)
        && row.activation().delayUntil() <= now;
  }

  /// The row as a delivered one, whose deadline is now.
  static Row handedOut(Row row, long now) {
    return marked(row.parkedUntil(Row.NONE), Status.PROCESSING, true, now);
  }

  private static Row marked(Row row, Status status, boolean committed, long deadline) {
    return new Row(
        row.key(),
        row.activation(),
        status,
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        committed ? deadline : row.processingDeadline(),
        row.deadlineExtended(),
        committed,
        row.parkedUntil(),
        row.forwardTo());
  }

  @Override
  public String name() {
    return disk.name;
  }

  @Override
  public long lastKey() {
    return disk.lastKey;
  }

  @Override
  public long firstKey() {
    return disk.rows.isEmpty() ? Long.MAX_VALUE : disk.rows.firstKey();
  }

  @Override
  public List<Row> load(long key, int limit) {
    checkOpen();
    return disk.rows.tailMap(key, false).values().stream()
        .filter(row -> row.parkedUntil() == Row.NONE)
        .limit(limit)
        .toList();
  }

  @Override
  public List<ParkedRow> loadParked(long key, int limit) {
    checkOpen();
    return disk.rows.tailMap(key, false).values().stream()
        .filter(row -> row.parkedUntil() != Row.NONE)
        .limit(limit)
        .map(ParkedRow::of)
        .toList();
  }

  @Override
  public List<Watermark> watermarks() {
    checkOpen();
    return List.copyOf(disk.watermarks.values());
  }

  @Override
  public List<Tombstone> tombstones(long now) {
    checkOpen();
    return disk.tombstones.entrySet().stream()
        .filter(entry -> entry.getValue() > now)
        .map(entry -> new Tombstone(entry.getKey(), entry.getValue()))
        .sorted(Comparator.comparingLong(Tombstone::until))
        .toList();
  }

  @Override
  public List<ChangeOutcome> commit(WriteBatch batch) {
    checkOpen();
    if (batch.number() == disk.batch) {
      return disk.outcomes;
    }
    if (batch.number() < disk.batch) {
      throw new IllegalArgumentException("Batch " + batch.number() + " after " + disk.batch);
    }
    List<ChangeOutcome> outcomes = new ArrayList<>();
    for (Change change : batch.changes()) {
      outcomes.add(apply(change));
    }
    disk.batch = batch.number();
    if (disk.positioned) {
      disk.position = new StorePosition(epoch, batch.number());
      if (batch.changes().stream().anyMatch(this::handsOutAtMostOnce)) {
        handedOut = disk.position;
      }
    }
    disk.outcomes = List.copyOf(outcomes);
    return disk.outcomes;
  }

  private boolean handsOutAtMostOnce(Change change) {
    Row row = change instanceof Change.UpdateStatus update ? disk.rows.get(update.key()) : null;
    return row != null && row.activation().atMostOnce() && row.status().isHandedOut();
  }

  private ChangeOutcome apply(Change change) {
    return switch (change) {
      case Change.Insert c -> insert(c.row());
      case Change.Fire c ->
          disk.schedules.apply(c.step()) ? insert(c.row()) : ChangeOutcome.SUPERSEDED;
      case Change.UpdateStatus c -> replace(disk.rows.get(c.key()), row -> updated(row, c));
      case Change.ConfirmOffset c -> replace(disk.rows.get(c.key()), InMemoryStore::confirmed);
      case Change.ChangeDelay c -> replace(disk.rows.get(c.key()), row -> delayed(row, c));
      case Change.ChangePriority c -> replace(disk.rows.get(c.key()), row -> prioritized(row, c));
      case Change.Forward c -> replace(disk.rows.get(c.key()), row -> forwarded(row, c));
      case Change.Retry c -> replace(disk.rows.get(c.key()), row -> retried(row, c));
      case Change.Delete c -> {
        if (c.tombstoneUntil() != Row.NONE) {
          disk.tombstones.merge(Ids.fingerprint(c.id()), c.tombstoneUntil(), Math::max);
        }
        if (disk.rows.remove(c.key()) == null) {
          yield ChangeOutcome.MISSING;
        }
        if (c.finished() != null) {
          disk.finished.put(c.id(), c.finished());
        }
        yield ChangeOutcome.APPLIED;
      }
      case Change.AdvanceWatermark c -> {
        Watermark old = disk.watermarks.get(c.partition());
        disk.watermarks.put(
            c.partition(),
            old == null
                ? new Watermark(c.partition(), c.next(), Watermark.NONE, c.last())
                : old.movedTo(c.next(), c.last()));
        yield ChangeOutcome.APPLIED;
      }
      case Change.OffsetCommitted c -> {
        Watermark old = disk.watermarks.get(c.partition());
        long next = old == null ? c.committed() : old.next();
        disk.watermarks.put(
            c.partition(),
            new Watermark(c.partition(), next, c.committed(), old == null ? null : old.last()));
        yield ChangeOutcome.APPLIED;
      }
    };
  }

  private ChangeOutcome insert(Row row) {
    disk.lastKey = Math.max(disk.lastKey, row.key());
    return disk.rows.putIfAbsent(row.key(), row) == null
        ? ChangeOutcome.APPLIED
        : ChangeOutcome.DUPLICATE;
  }

  @Override
  public ScheduleStore schedules() {
    checkOpen();
    return disk.schedules;
  }

  @Override
  public Optional<FinishedTask> finished(String id) {
    checkOpen();
    return Optional.ofNullable(disk.finished.get(id)).filter(FinishedTask::asked);
  }

  private ChangeOutcome replace(@Nullable Row row, UnaryOperator<Row> by) {
    if (row == null) {
      return ChangeOutcome.MISSING;
    }
    disk.rows.put(row.key(), by.apply(row));
    return ChangeOutcome.APPLIED;
  }

  static Row updated(Row row, Change.UpdateStatus by) {
    return new Row(
        row.key(),
        row.activation(),
        by.status(),
        row.addedAt(),
        by.attempts(),
        by.claimExpiresAt(),
        by.processingDeadline(),
        by.deadlineExtended(),
        by.committed(),
        Row.NONE,
        row.forwardTo());
  }

  static Row delayed(Row row, Change.ChangeDelay by) {
    return new Row(
        row.key(),
        row.activation().withDelayUntil(by.delayUntil()),
        row.status(),
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        row.processingDeadline(),
        row.deadlineExtended(),
        row.committed(),
        Row.NONE,
        row.forwardTo());
  }

  static Row prioritized(Row row, Change.ChangePriority by) {
    return new Row(
        row.key(),
        row.activation().withPriority(by.priority()),
        row.status(),
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        row.processingDeadline(),
        row.deadlineExtended(),
        row.committed(),
        by.parkedUntil(),
        row.forwardTo());
  }

  static Row confirmed(Row row) {
    return new Row(
        row.key(),
        row.activation(),
        row.status(),
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        row.processingDeadline(),
        row.deadlineExtended(),
        true,
        row.parkedUntil(),
        row.forwardTo());
  }

  static Row retried(Row row, Change.Retry by) {
    return new Row(
        row.key(),
        row.activation()
            .delayed(by.row().activation().delayUntil(), by.row().activation().payload()),
        by.row().status(),
        row.addedAt(),
        0,
        Row.NONE,
        Row.NONE,
        false,
        row.committed(),
        Row.NONE,
        row.forwardTo());
  }

  static Row forwarded(Row row, Change.Forward by) {
    byte[] payload = by.payload();
    return new Row(
        row.key(),
        payload == null ? row.activation() : row.activation().withPayload(payload),
        by.status(),
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        row.processingDeadline(),
        row.deadlineExtended(),
        row.committed(),
        Row.NONE,
        by.destination());
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    checkOpen();
    List<Row> after =
        disk.rows.values().stream()
            .filter(row -> isOf(row, query) && isAfter(row, query))
            .sorted(BY_DUE)
            .limit(query.limit() + 1L)
            .toList();
    List<Row> page =
        after.stream()
            .filter(row -> row.parkedUntil() <= query.upTo())
            .limit(query.limit())
            .toList();
    long next = page.size() == after.size() ? Row.NONE : after.get(page.size()).parkedUntil();
    return new ParkedPage(page, next);
  }

  static boolean isOf(Row row, ParkedQuery query) {
    return row.parkedUntil() != Row.NONE
        && row.activation().application().equals(query.application())
        && row.activation().priority() == query.priority();
  }

  static boolean isAfter(Row row, ParkedQuery query) {
    return row.parkedUntil() > query.afterDue()
        || (row.parkedUntil() == query.afterDue() && row.key() > query.afterKey());
  }

  @Override
  public List<Row> rows(List<Long> keys) {
    checkOpen();
    return keys.stream().sorted().distinct().map(disk.rows::get).filter(Objects::nonNull).toList();
  }

  @Override
  public long size() {
    checkOpen();
    return disk.rows.values().stream()
        .mapToLong(row -> 200 + row.activation().payload().length)
        .sum();
  }

  @Override
  public void maintain(long now) {
    checkOpen();
    disk.tombstones.values().removeIf(until -> until <= now);
  }

  @Override
  public void close() {
    closed = true;
  }

  private void checkOpen() {
    if (closed) {
      throw new StoreException(Kind.FATAL, "The store is closed", null);
    }
    if (epoch != disk.epoch) {
      throw new StoreException(Kind.FATAL, "Another broker took over " + disk.name, null);
    }
  }

  /// Data that outlives the store. Confined, like the store.
  public static final class Disk {
    private final String name = UUID.randomUUID().toString();
    private final TreeMap<Long, Row> rows = new TreeMap<>();
    private final Map<SourcePartition, Watermark> watermarks = new LinkedHashMap<>();
    private final Map<Fingerprint, Long> tombstones = new HashMap<>();
    private final Map<String, FinishedTask> finished = new HashMap<>();
    private final InMemorySchedules schedules = new InMemorySchedules();
    private long lastKey;
    private long epoch;
    private long batch = -1;
    private List<ChangeOutcome> outcomes = List.of();
    private boolean positioned;
    private StorePosition position = StorePosition.NONE;

    /// Counts transactions, so that their positions can be compared with another copy.
    public void countPositions() {
      positioned = true;
    }

    /// A copy of everything, as of a folder.
    public Disk copy() {
      var copy = new Disk();
      copy.take(this);
      return copy;
    }

    /// Puts a copy back, also for stores that are open. Epochs are times of opening: they do not go
    /// back.
    public void restore(Disk copy) {
      take(copy);
      epoch++;
      batch = -1;
    }

    private void take(Disk other) {
      rows.clear();
      rows.putAll(other.rows);
      watermarks.clear();
      watermarks.putAll(other.watermarks);
      tombstones.clear();
      tombstones.putAll(other.tombstones);
      finished.clear();
      finished.putAll(other.finished);
      schedules.take(other.schedules);
      lastKey = other.lastKey;
      position = other.position;
    }

    /// Loses everything, also for stores that are open.
    public void wipe() {
      rows.clear();
      watermarks.clear();
      tombstones.clear();
      finished.clear();
      schedules.take(new InMemorySchedules());
      lastKey = 0;
      epoch++;
      batch = -1;
    }

    /// Rows by key.
    public Map<Long, Row> rows() {
      return Collections.unmodifiableMap(rows);
    }

    public Map<SourcePartition, Watermark> watermarks() {
      return Collections.unmodifiableMap(watermarks);
    }
  }
}
