package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// One broker's view of a shared store. Fulfils the contract except durability and the clock: a
/// test decides when a lease lapses. Confined.
public final class SharedInMemoryStore implements ActivationStore, Ownership {
  /// Keys from here on belong to another broker epoch.
  private static final long KEYS = 1L << 40;

  private final Disk disk;
  private final long epoch;
  private final String member;
  private final Map<String, SourcePartition> taken = new LinkedHashMap<>();
  private long lastKey;
  private final Consumer<List<RemoteReport>> reportSink;

  /// Watermarks that this broker found or wrote, and those that it had when it found the disk gone
  /// back.
  private final Map<SourcePartition, Watermark> written = new HashMap<>();

  private final Map<SourcePartition, Watermark> reached = new HashMap<>();
  private boolean ignoresPredecessors;
  private long lastCommitted = -1;
  private long lastHandOut = -1;
  private Runnable wentBack = () -> {};

  /// Opens the store on the disk.
  ///
  /// @param member member name of this broker in all its epochs
  /// @param reportSink receives the reports that other brokers store for rows of this one
  public SharedInMemoryStore(Disk disk, String member, Consumer<List<RemoteReport>> reportSink) {
    this.disk = disk;
    this.epoch = ++disk.epochs;
    this.lastKey = epoch * KEYS;
    this.member = member;
    this.reportSink = reportSink;
    disk.members.put(member, this);
    disk.live.put(epoch, this);
  }

  /// Sets the callback for a disk that lacks the last batch of this broker.
  public void onWentBack(Runnable listener) {
    wentBack = listener;
  }

  /// Commits without a look at the batch before, which no store may do: for planted bugs.
  public void ignorePredecessors() {
    ignoresPredecessors = true;
  }

  /// Whether the disk lacks the last batch of this broker, which it has not noticed.
  public boolean isBehind() {
    return disk.positioned
        && !ignoresPredecessors
        && disk.batches.getOrDefault(epoch, -1L) < lastCommitted;
  }

  /// Whether this broker would not notice that the disk became that one: it has committed nothing,
  /// and owns a partition there.
  public boolean isUnawareOf(Disk other) {
    return lastCommitted < 0
        && other.owners.values().stream().anyMatch(owner -> owner.epoch == epoch);
  }

  @Override
  public StorePosition position() {
    return disk.positioned ? new StorePosition(epoch, lastCommitted) : StorePosition.NONE;
  }

  @Override
  public StorePosition handedOut() {
    return lastHandOut < 0 ? StorePosition.NONE : new StorePosition(epoch, lastHandOut);
  }

  @Override
  public boolean lacks(StorePosition noted) {
    return disk.positioned
        && (noted.epoch() >= epoch
            ? noted.epoch() > epoch || noted.batch() > lastCommitted
            : disk.batches.getOrDefault(noted.epoch(), -1L) < noted.batch());
  }

  @Override
  public int countAsHandedOut(SourcePartition partition, long now) {
    return countAsHandedOut(ownerKeyOf(partition), now);
  }

  private int countAsHandedOut(String ownerKey, long now) {
    List<Row> may =
        disk.rows.values().stream()
            .filter(row -> rowOwnerKey(row).equals(ownerKey) && InMemoryStore.mayHaveRun(row, now))
            .toList();
    may.forEach(row -> disk.rows.put(row.key(), InMemoryStore.handedOut(row, now)));
    return may.size();
  }

  /// Drops every partition, as `LostTransactions` does.
  private void rewind(long now) {
    for (SourcePartition partition : taken.values()) {
      int _ = countAsHandedOut(partition, now);
      if (owns(partition)) {
        disk.owners.remove(ownerKeyOf(partition));
      }
      Watermark known = written.get(partition);
      if (known != null) {
        reached.put(partition, known);
      }
    }
    taken.clear();
    lastCommitted = -1;
    wentBack.run();
  }

  /// Lets the lease of this epoch lapse, as if it was not renewed in time.
  public void lapse() {
    disk.live.remove(epoch);
  }

  /// Renews the lease of this epoch.
  public void renew() {
    disk.live.put(epoch, this);
  }

  public boolean isLive() {
    return disk.live.containsKey(epoch);
  }

  /// Partitions that this epoch took, did not release and no longer owns; each is returned once.
  public List<SourcePartition> lost() {
    List<SourcePartition> lost = taken.values().stream().filter(each -> !owns(each)).toList();
    lost.forEach(each -> taken.remove(ownerKeyOf(each)));
    return lost;
  }

  @Override
  public String name() {
    return member;
  }

  @Override
  public long lastKey() {
    return lastKey;
  }

  @Override
  public List<Row> load(long key, int limit) {
    return rows(this::isHome, key, limit);
  }

  @Override
  public List<ParkedRow> loadParked(long key, int limit) {
    return parked(this::isHome, key, limit);
  }

  @Override
  public List<Row> load(SourcePartition partition, long key, int limit) {
    return rows(row -> ownerKeyOf(row).equals(ownerKeyOf(partition)), key, limit);
  }

  @Override
  public List<ParkedRow> loadParked(SourcePartition partition, long key, int limit) {
    return parked(row -> ownerKeyOf(row).equals(ownerKeyOf(partition)), key, limit);
  }

  private List<Row> rows(Predicate<Row> which, long key, int limit) {
    return disk.rows.tailMap(key, false).values().stream()
        .filter(row -> row.parkedUntil() == Row.NONE && which.test(row))
        .limit(limit)
        .toList();
  }

  private List<ParkedRow> parked(Predicate<Row> which, long key, int limit) {
    return disk.rows.tailMap(key, false).values().stream()
        .filter(row -> row.parkedUntil() != Row.NONE && which.test(row))
        .limit(limit)
        .map(ParkedRow::of)
        .toList();
  }

  @Override
  public List<Watermark> watermarks() {
    return List.copyOf(disk.watermarks.values());
  }

  @Override
  public List<Tombstone> tombstones(long now) {
    return tombstones("member " + member, now);
  }

  @Override
  public List<Tombstone> tombstones(SourcePartition partition, long now) {
    return tombstones(ownerKeyOf(partition), now);
  }

  private List<Tombstone> tombstones(String ownerKey, long now) {
    return disk.tombstones.getOrDefault(ownerKey, Map.of()).entrySet().stream()
        .filter(entry -> entry.getValue() > now)
        .map(entry -> new Tombstone(entry.getKey(), entry.getValue()))
        .toList();
  }

  @Override
  public Optional<Taken> take(SourcePartition partition, int generation) {
    String ownerKey = ownerKeyOf(partition);
    Owner owner = disk.owners.get(ownerKey);
    if (owner != null && owner.generation > generation && disk.live.containsKey(owner.epoch)) {
      return Optional.empty();
    }
    disk.owners.put(ownerKey, new Owner(epoch, generation));
    taken.put(ownerKey, partition);
    List<Watermark> watermarks =
        disk.watermarks.values().stream()
            .filter(watermark -> ownerKeyOf(watermark.partition()).equals(ownerKey))
            .toList();
    watermarks.forEach(watermark -> written.put(watermark.partition(), watermark));
    return Optional.of(
        new Taken(
            watermarks,
            disk.drained.remove(ownerKey),
            Optional.ofNullable(reached.remove(partition)),
            owner != null && owner.epoch == epoch));
  }

  @Override
  public void release(SourcePartition partition, boolean drained) {
    taken.remove(ownerKeyOf(partition));
    Owner owner = disk.owners.get(ownerKeyOf(partition));
    if (owner != null && owner.epoch == epoch) {
      disk.owners.remove(ownerKeyOf(partition));
      if (drained) {
        disk.drained.add(ownerKeyOf(partition));
      }
    }
  }

  /// Whether this epoch owns the partition.
  public boolean owns(SourcePartition partition) {
    return owns(ownerKeyOf(partition));
  }

  /// Whether this epoch owns the partition of that record.
  public boolean owns(Origin origin) {
    return owns(ownerKeyOf(origin));
  }

  private boolean owns(String ownerKey) {
    if (ownerKey.equals("member " + member)) {
      return disk.members.get(member) == this;
    }
    Owner owner = disk.owners.get(ownerKey);
    return owner != null && owner.epoch == epoch;
  }

  @Override
  public List<ChangeOutcome> commit(WriteBatch batch) {
    if (isBehind()) {
      rewind(disk.now.getAsLong());
    }
    List<ChangeOutcome> outcomes = new ArrayList<>();
    for (Change change : batch.changes()) {
      outcomes.add(owns(ownerKeyOf(change)) ? apply(change) : ChangeOutcome.FENCED);
      if (change instanceof Change.UpdateStatus update && update.handsOut()) {
        lastHandOut = disk.positioned ? batch.number() : -1;
      }
    }
    lastCommitted = batch.number();
    disk.batches.put(epoch, batch.number());
    return outcomes;
  }

  /// Applies changes without an ownership check, which no store may do: for planted bugs.
  public List<ChangeOutcome> commitUnfenced(WriteBatch batch) {
    List<ChangeOutcome> outcomes = new ArrayList<>();
    for (Change change : batch.changes()) {
      String _ = ownerKeyOf(change); // rows without a partition belong to the member
      outcomes.add(apply(change));
    }
    return outcomes;
  }

  private ChangeOutcome apply(Change change) {
    return switch (change) {
      case Change.Insert c -> {
        disk.history.add(c);
        yield insert(c.row());
      }
      case Change.Fire c ->
          disk.schedules.apply(c.step()) ? insert(c.row()) : ChangeOutcome.SUPERSEDED;
      case Change.UpdateStatus c -> replace(c.key(), row -> InMemoryStore.updated(row, c));
      case Change.ConfirmOffset c -> replace(c.key(), InMemoryStore::confirmed);
      case Change.ChangeDelay c -> replace(c.key(), row -> InMemoryStore.delayed(row, c));
      case Change.ChangePriority c -> replace(c.key(), row -> InMemoryStore.prioritized(row, c));
      case Change.Retry c -> {
        disk.reports.removeIf(
            report -> report.key() == c.key() && report.status() != Status.COMPLETE);
        yield replace(c.key(), row -> InMemoryStore.retried(row, c));
      }
      case Change.Forward c -> replace(c.key(), row -> InMemoryStore.forwarded(row, c));
      case Change.Delete c -> {
        if (c.tombstoneUntil() != Row.NONE) {
          disk.tombstones
              .computeIfAbsent(ownerKeyOf(c), _ -> new HashMap<>())
              .merge(Ids.fingerprint(c.id()), c.tombstoneUntil(), Math::max);
        }
        disk.reports.removeIf(report -> report.key() == c.key());
        yield disk.rows.remove(c.key()) == null ? ChangeOutcome.MISSING : ChangeOutcome.APPLIED;
      }
      case Change.AdvanceWatermark c -> updateWatermark(c.partition(), c.next(), null, c.last());
      case Change.OffsetCommitted c -> updateWatermark(c.partition(), null, c.committed(), null);
    };
  }

  private ChangeOutcome insert(Row row) {
    lastKey = Math.max(lastKey, row.key());
    return disk.rows.putIfAbsent(row.key(), row) == null
        ? ChangeOutcome.APPLIED
        : ChangeOutcome.DUPLICATE;
  }

  @Override
  public ScheduleStore schedules() {
    return disk.schedules;
  }

  private ChangeOutcome updateWatermark(
      SourcePartition partition,
      @Nullable Long next,
      @Nullable Long committed,
      @Nullable RecordIdentity last) {
    Watermark old = disk.watermarks.get(partition);
    long known = old == null ? Watermark.NONE : old.committed();
    long first = old == null ? Watermark.NONE : old.next();
    long moved =
        next != null ? next : first == Watermark.NONE && committed != null ? committed : first;
    var before =
        new Watermark(
            partition,
            first,
            committed == null ? known : committed,
            old == null ? null : old.last());
    Watermark now = before.movedTo(moved, last);
    disk.watermarks.put(partition, now);
    written.put(partition, now);
    return ChangeOutcome.APPLIED;
  }

  private ChangeOutcome replace(long key, UnaryOperator<Row> by) {
    Row row = disk.rows.get(key);
    if (row == null) {
      return ChangeOutcome.MISSING;
    }
    disk.rows.put(key, by.apply(row));
    return ChangeOutcome.APPLIED;
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    List<Row> after =
        disk.rows.values().stream()
            .filter(row ->
                InMemoryStore.isOf(row, query)
                    && owns(rowOwnerKey(row))
                    && InMemoryStore.isAfter(row, query))
            .sorted(InMemoryStore.BY_DUE)
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

  @Override
  public List<Row> rows(List<Long> keys) {
    return keys.stream()
        .sorted()
        .distinct()
        .map(disk.rows::get)
        .filter(row -> row != null && owns(rowOwnerKey(row)))
        .toList();
  }

  @Override
  public List<Boolean> report(List<RemoteReport> reports) {
    List<Boolean> known = new ArrayList<>();
    Map<SharedInMemoryStore, List<RemoteReport>> owners = new LinkedHashMap<>();
    for (RemoteReport report : reports) {
      boolean found = false;
      for (Row row : disk.rows.values()) {
        if (row.activation().id().equals(report.id())) {
          found = true;
          RemoteReport reportReads =
              new RemoteReport(
                  row.key(),
                  report.id(),
                  report.status(),
                  report.maxAttempts(),
                  report.delayOnRetry());
          disk.reports.add(reportReads);
          SharedInMemoryStore owner = ownerOf(rowOwnerKey(row));
          if (owner != null) {
            owners.computeIfAbsent(owner, _ -> new ArrayList<>()).add(reportReads);
          }
        }
      }
      known.add(found);
    }
    owners.forEach((owner, found) -> owner.reportSink.accept(found));
    return known;
  }

  private @Nullable SharedInMemoryStore ownerOf(String ownerKey) {
    if (ownerKey.startsWith("member ")) {
      return disk.members.get(ownerKey.substring("member ".length()));
    }
    Owner owner = disk.owners.get(ownerKey);
    return owner == null ? null : disk.live.get(owner.epoch);
  }

  @Override
  public List<RemoteReport> reports(List<Long> keys) {
    return disk.reports.stream().filter(report -> keys.contains(report.key())).toList();
  }

  @Override
  public List<RemoteReport> reports(SourcePartition partition) {
    return disk.reports.stream()
        .filter(report -> {
          Row row = disk.rows.get(report.key());
          return row != null && ownerKeyOf(row).equals(ownerKeyOf(partition));
        })
        .toList();
  }

  /// Reports on rows that this broker owns, like those that the lease keeper of a database reads at
  /// its start.
  public List<RemoteReport> missedReports() {
    return disk.reports.stream()
        .filter(report -> {
          Row row = disk.rows.get(report.key());
          return row != null && owns(rowOwnerKey(row));
        })
        .toList();
  }

  @Override
  public long size() {
    return disk.rows.size();
  }

  @Override
  public void maintain(long now) {}

  @Override
  public void close() {
    lapse();
  }

  private boolean isHome(Row row) {
    return rowOwnerKey(row).equals("member " + member);
  }

  /// Owner key of a row: its partition, or the member that stored it.
  private String rowOwnerKey(Row row) {
    return row.activation().origin().partition() < 0
        ? disk.homes.getOrDefault(row.key(), "")
        : ownerKeyOf(row);
  }

  private static String ownerKeyOf(Row row) {
    return ownerKeyOf(row.activation().origin());
  }

  private static String ownerKeyOf(SourcePartition partition) {
    return ownerKeyOf(new Origin(partition.topic(), partition.partition(), 0));
  }

  private static String ownerKeyOf(Origin origin) {
    return origin.partition() + "/" + origin.topic();
  }

  private String ownerKeyOf(Change change) {
    return switch (change) {
      case Change.Insert insert -> arriving(insert.row());
      case Change.Fire fire -> arriving(fire.row());
      case Change.UpdateStatus update -> home(update.origin());
      case Change.ConfirmOffset confirm -> home(confirm.origin());
      case Change.ChangeDelay delay -> home(delay.origin());
      case Change.ChangePriority priority -> home(priority.origin());
      case Change.Forward forward -> home(forward.origin());
      case Change.Retry retry -> home(retry.origin());
      case Change.Delete delete -> home(delete.origin());
      case Change.AdvanceWatermark consumed -> ownerKeyOf(consumed.partition());
      case Change.OffsetCommitted committed -> ownerKeyOf(committed.partition());
    };
  }

  /// Owner key of a row that is stored.
  private String arriving(Row row) {
    Origin origin = row.activation().origin();
    if (origin.partition() < 0) {
      disk.homes.put(row.key(), "member " + member);
    }
    return home(origin);
  }

  private String home(Origin origin) {
    return origin.partition() < 0 ? "member " + member : ownerKeyOf(origin);
  }

  private record Owner(long epoch, int generation) {}

  /// Data shared by the brokers. Confined, like the stores.
  public static final class Disk {
    private final TreeMap<Long, Row> rows = new TreeMap<>();
    private final Map<Long, String> homes = new HashMap<>();
    private final InMemorySchedules schedules = new InMemorySchedules();
    private final Map<SourcePartition, Watermark> watermarks = new LinkedHashMap<>();
    private final Map<String, Map<Fingerprint, Long>> tombstones = new HashMap<>();
    private final Map<String, Owner> owners = new HashMap<>();
    private final Set<String> drained = new HashSet<>();
    private final Map<Long, SharedInMemoryStore> live = new HashMap<>();
    private final Map<String, SharedInMemoryStore> members = new HashMap<>();
    private final List<RemoteReport> reports = new ArrayList<>();
    private final List<Change.Insert> history = new ArrayList<>();
    private long epochs;
    private boolean positioned;
    private LongSupplier now = () -> 0;
    private final Map<Long, Long> batches = new HashMap<>();

    /// Keeps the last batch of each epoch, so that a broker notices a disk that went back.
    ///
    /// @param clock milliseconds since the epoch
    public void countPositions(LongSupplier clock) {
      positioned = true;
      now = clock;
    }

    /// A copy of the data, as of a standby.
    public Disk copy() {
      var copy = new Disk();
      copy.take(this);
      return copy;
    }

    /// A standby with that data takes over; brokers connect to it.
    public void failOver(Disk standby) {
      take(standby);
    }

    private void take(Disk other) {
      replace(rows, other.rows);
      replace(homes, other.homes);
      schedules.take(other.schedules);
      replace(watermarks, other.watermarks);
      tombstones.clear();
      other.tombstones.forEach((key, ids) -> tombstones.put(key, new HashMap<>(ids)));
      replace(owners, other.owners);
      drained.clear();
      drained.addAll(other.drained);
      reports.clear();
      reports.addAll(other.reports);
      replace(batches, other.batches);
    }

    private static <K, V> void replace(Map<K, V> all, Map<K, V> by) {
      all.clear();
      all.putAll(by);
    }

    /// Rows by key.
    public Map<Long, Row> rowsByKey() {
      return Collections.unmodifiableMap(rows);
    }

    public Map<SourcePartition, Watermark> watermarks() {
      return Collections.unmodifiableMap(watermarks);
    }

    public Collection<Row> rows() {
      return Collections.unmodifiableCollection(rows.values());
    }

    /// Whether the id ever left a tombstone.
    public boolean isRemembered(String id) {
      return tombstones.values().stream().anyMatch(ids -> ids.containsKey(Ids.fingerprint(id)));
    }

    public List<RemoteReport> reports() {
      return Collections.unmodifiableList(reports);
    }

    /// All rows ever inserted.
    public List<Change.Insert> history() {
      return Collections.unmodifiableList(history);
    }

    public Watermark watermark(SourcePartition partition) {
      return watermarks.getOrDefault(
          partition, new Watermark(partition, Watermark.NONE, Watermark.NONE));
    }
  }
}
