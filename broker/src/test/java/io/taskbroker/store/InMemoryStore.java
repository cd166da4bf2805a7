package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
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
  private boolean closed;

  /// Opens a store on the disk and fences any earlier one.
  public InMemoryStore(Disk disk) {
    this.disk = disk;
    epoch = ++disk.epoch;
    disk.batch = -1;
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
  public List<Outcome> commit(WriteBatch batch) {
    checkOpen();
    if (batch.number() == disk.batch) {
      return disk.outcomes;
    }
    if (batch.number() < disk.batch) {
      throw new IllegalArgumentException("Batch " + batch.number() + " after " + disk.batch);
    }
    List<Outcome> outcomes = new ArrayList<>();
    for (Change change : batch.changes()) {
      outcomes.add(apply(change));
    }
    disk.batch = batch.number();
    disk.outcomes = List.copyOf(outcomes);
    return disk.outcomes;
  }

  private Outcome apply(Change change) {
    return switch (change) {
      case Change.Insert c -> {
        disk.lastKey = Math.max(disk.lastKey, c.row().key());
        yield disk.rows.putIfAbsent(c.row().key(), c.row()) == null
            ? Outcome.APPLIED
            : Outcome.DUPLICATE;
      }
      case Change.UpdateStatus c -> replace(disk.rows.get(c.key()), row -> updated(row, c));
      case Change.ConfirmOffset c -> replace(disk.rows.get(c.key()), InMemoryStore::confirmed);
      case Change.Forward c -> replace(disk.rows.get(c.key()), row -> forwarded(row, c));
      case Change.Retry c -> replace(disk.rows.get(c.key()), row -> retried(row, c));
      case Change.Delete c -> {
        if (c.tombstoneUntil() != Row.NONE) {
          disk.tombstones.merge(Ids.fingerprint(c.id()), c.tombstoneUntil(), Math::max);
        }
        yield disk.rows.remove(c.key()) == null ? Outcome.MISSING : Outcome.APPLIED;
      }
      case Change.AdvanceWatermark c -> {
        Watermark old = disk.watermarks.get(c.partition());
        long committed = old == null ? Watermark.NONE : old.committed();
        disk.watermarks.put(c.partition(), new Watermark(c.partition(), c.next(), committed));
        yield Outcome.APPLIED;
      }
      case Change.OffsetCommitted c -> {
        Watermark old = disk.watermarks.get(c.partition());
        long next = old == null ? c.committed() : old.next();
        disk.watermarks.put(c.partition(), new Watermark(c.partition(), next, c.committed()));
        yield Outcome.APPLIED;
      }
    };
  }

  private Outcome replace(@Nullable Row row, UnaryOperator<Row> by) {
    if (row == null) {
      return Outcome.MISSING;
    }
    disk.rows.put(row.key(), by.apply(row));
    return Outcome.APPLIED;
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
            .filter(row -> row.activation().application().equals(query.application()))
            .filter(row -> row.parkedUntil() != Row.NONE && isAfter(row, query))
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
    private long lastKey;
    private long epoch;
    private long batch = -1;
    private List<Outcome> outcomes = List.of();

    /// Loses everything, also for stores that are open.
    public void wipe() {
      rows.clear();
      watermarks.clear();
      tombstones.clear();
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
