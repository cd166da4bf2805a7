package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
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
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// One broker's view of a store that brokers share, which keeps to the contract but for the disk
/// and the clock: a lease ends when a test says so. Confined.
public final class SharedInMemoryStore implements ActivationStore, Ownership {
  /// From here on keys are another run's.
  private static final long KEYS = 1L << 40;

  private final Disk disk;
  private final long run;
  private final String seat;
  private final Map<String, SourcePartition> taken = new LinkedHashMap<>();
  private long lastKey;
  private final Consumer<List<RemoteReport>> ear;

  /// Opens what is on the disk.
  ///
  /// @param seat what this broker is called in all its runs
  /// @param ear hears what other brokers were told of rows of this one
  public SharedInMemoryStore(Disk disk, String seat, Consumer<List<RemoteReport>> ear) {
    this.disk = disk;
    this.run = ++disk.runs;
    this.lastKey = run * KEYS;
    this.seat = seat;
    this.ear = ear;
    disk.seats.put(seat, this);
    disk.live.put(run, this);
  }

  /// Ends the lease of this run, as time does when nobody renews it.
  public void lapse() {
    disk.live.remove(run);
  }

  /// Renews the lease of this run.
  public void renew() {
    disk.live.put(run, this);
  }

  public boolean isLive() {
    return disk.live.containsKey(run);
  }

  /// What this run took, did not release, and does not own any more; told once.
  public List<SourcePartition> lost() {
    List<SourcePartition> lost = taken.values().stream().filter(each -> !owns(each)).toList();
    lost.forEach(each -> taken.remove(placeOf(each)));
    return lost;
  }

  @Override
  public String name() {
    return seat;
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
    return rows(row -> placeOf(row).equals(placeOf(partition)), key, limit);
  }

  @Override
  public List<ParkedRow> loadParked(SourcePartition partition, long key, int limit) {
    return parked(row -> placeOf(row).equals(placeOf(partition)), key, limit);
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
    return tombstones("seat " + seat, now);
  }

  @Override
  public List<Tombstone> tombstones(SourcePartition partition, long now) {
    return tombstones(placeOf(partition), now);
  }

  private List<Tombstone> tombstones(String place, long now) {
    return disk.tombstones.getOrDefault(place, Map.of()).entrySet().stream()
        .filter(entry -> entry.getValue() > now)
        .map(entry -> new Tombstone(entry.getKey(), entry.getValue()))
        .toList();
  }

  @Override
  public Optional<Taken> take(SourcePartition partition, int generation) {
    String place = placeOf(partition);
    Owner owner = disk.owners.get(place);
    if (owner != null && owner.generation > generation && disk.live.containsKey(owner.run)) {
      return Optional.empty();
    }
    disk.owners.put(place, new Owner(run, generation));
    taken.put(place, partition);
    List<Watermark> marks =
        disk.watermarks.values().stream()
            .filter(mark -> placeOf(mark.partition()).equals(place))
            .toList();
    return Optional.of(new Taken(marks, disk.drained.remove(place)));
  }

  @Override
  public void release(SourcePartition partition, boolean drained) {
    taken.remove(placeOf(partition));
    Owner owner = disk.owners.get(placeOf(partition));
    if (owner != null && owner.run == run) {
      disk.owners.remove(placeOf(partition));
      if (drained) {
        disk.drained.add(placeOf(partition));
      }
    }
  }

  /// Whether the partition is this run's.
  public boolean owns(SourcePartition partition) {
    return owns(placeOf(partition));
  }

  /// Whether the partition of that record is this run's.
  public boolean owns(Origin origin) {
    return owns(placeOf(origin));
  }

  private boolean owns(String place) {
    if (place.equals("seat " + seat)) {
      return disk.seats.get(seat) == this;
    }
    Owner owner = disk.owners.get(place);
    return owner != null && owner.run == run;
  }

  @Override
  public List<Outcome> commit(WriteBatch batch) {
    List<Outcome> outcomes = new ArrayList<>();
    for (Change change : batch.changes()) {
      outcomes.add(owns(placeOf(change)) ? apply(change) : Outcome.FENCED);
    }
    return outcomes;
  }

  /// Makes changes whoever owns their places, as no store may: for planted bugs.
  public List<Outcome> commitUnfenced(WriteBatch batch) {
    List<Outcome> outcomes = new ArrayList<>();
    for (Change change : batch.changes()) {
      String _ = placeOf(change); // where rows of no partition are at home
      outcomes.add(apply(change));
    }
    return outcomes;
  }

  private Outcome apply(Change change) {
    return switch (change) {
      case Change.Insert c -> {
        disk.history.add(c);
        lastKey = Math.max(lastKey, c.row().key());
        yield disk.rows.putIfAbsent(c.row().key(), c.row()) == null
            ? Outcome.APPLIED
            : Outcome.DUPLICATE;
      }
      case Change.UpdateStatus c -> replace(c.key(), row -> InMemoryStore.marked(row, c));
      case Change.ConfirmOffset c -> replace(c.key(), InMemoryStore::proved);
      case Change.Forward c -> replace(c.key(), row -> InMemoryStore.leaving(row, c));
      case Change.Delete c -> {
        if (c.tombstoneUntil() != Row.NONE) {
          disk.tombstones
              .computeIfAbsent(placeOf(c), _ -> new HashMap<>())
              .merge(Ids.fingerprint(c.id()), c.tombstoneUntil(), Math::max);
        }
        disk.reports.removeIf(report -> report.key() == c.key());
        yield disk.rows.remove(c.key()) == null ? Outcome.MISSING : Outcome.APPLIED;
      }
      case Change.AdvanceWatermark c -> mark(c.partition(), c.next(), null);
      case Change.OffsetCommitted c -> mark(c.partition(), null, c.committed());
    };
  }

  private Outcome mark(SourcePartition partition, @Nullable Long next, @Nullable Long committed) {
    Watermark old = disk.watermarks.get(partition);
    long known = old == null ? Watermark.NONE : old.committed();
    long first = old == null ? Watermark.NONE : old.next();
    disk.watermarks.put(
        partition,
        new Watermark(
            partition,
            next != null ? next : first == Watermark.NONE && committed != null ? committed : first,
            committed == null ? known : committed));
    return Outcome.APPLIED;
  }

  private Outcome replace(long key, UnaryOperator<Row> by) {
    Row row = disk.rows.get(key);
    if (row == null) {
      return Outcome.MISSING;
    }
    disk.rows.put(key, by.apply(row));
    return Outcome.APPLIED;
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    List<Row> after =
        disk.rows.values().stream()
            .filter(row -> row.activation().application().equals(query.application()))
            .filter(row ->
                row.parkedUntil() != Row.NONE
                    && owns(rowPlace(row))
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
        .filter(row -> row != null && owns(rowPlace(row)))
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
          SharedInMemoryStore owner = ownerOf(rowPlace(row));
          if (owner != null) {
            owners.computeIfAbsent(owner, _ -> new ArrayList<>()).add(reportReads);
          }
        }
      }
      known.add(found);
    }
    owners.forEach((owner, found) -> owner.ear.accept(found));
    return known;
  }

  private @Nullable SharedInMemoryStore ownerOf(String place) {
    if (place.startsWith("seat ")) {
      return disk.seats.get(place.substring(5));
    }
    Owner owner = disk.owners.get(place);
    return owner == null ? null : disk.live.get(owner.run);
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
          return row != null && placeOf(row).equals(placeOf(partition));
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
    return rowPlace(row).equals("seat " + seat);
  }

  /// The place of a row: that of its partition, or of the seat that stored it.
  private String rowPlace(Row row) {
    return row.activation().origin().partition() < 0
        ? disk.homes.getOrDefault(row.key(), "")
        : placeOf(row);
  }

  private static String placeOf(Row row) {
    return placeOf(row.activation().origin());
  }

  private static String placeOf(SourcePartition partition) {
    return placeOf(new Origin(partition.topic(), partition.partition(), 0));
  }

  private static String placeOf(Origin origin) {
    return origin.partition() + "/" + origin.topic();
  }

  private String placeOf(Change change) {
    return switch (change) {
      case Change.Insert insert -> {
        if (insert.row().activation().origin().partition() < 0) {
          disk.homes.put(insert.row().key(), "seat " + seat);
        }
        yield home(insert.row().activation().origin());
      }
      case Change.UpdateStatus mark -> home(mark.origin());
      case Change.ConfirmOffset prove -> home(prove.origin());
      case Change.Forward forward -> home(forward.origin());
      case Change.Delete delete -> home(delete.origin());
      case Change.AdvanceWatermark consumed -> placeOf(consumed.partition());
      case Change.OffsetCommitted committed -> placeOf(committed.partition());
    };
  }

  private String home(Origin origin) {
    return origin.partition() < 0 ? "seat " + seat : placeOf(origin);
  }

  private record Owner(long run, int generation) {}

  /// What the brokers share. Confined, like the stores.
  public static final class Disk {
    private final TreeMap<Long, Row> rows = new TreeMap<>();
    private final Map<Long, String> homes = new HashMap<>();
    private final Map<SourcePartition, Watermark> watermarks = new LinkedHashMap<>();
    private final Map<String, Map<Fingerprint, Long>> tombstones = new HashMap<>();
    private final Map<String, Owner> owners = new HashMap<>();
    private final Set<String> drained = new HashSet<>();
    private final Map<Long, SharedInMemoryStore> live = new HashMap<>();
    private final Map<String, SharedInMemoryStore> seats = new HashMap<>();
    private final List<RemoteReport> reports = new ArrayList<>();
    private final List<Change.Insert> history = new ArrayList<>();
    private long runs;

    /// The rows, by their keys.
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

    /// Every row that was ever inserted.
    public List<Change.Insert> history() {
      return Collections.unmodifiableList(history);
    }

    public Watermark watermark(SourcePartition partition) {
      return watermarks.getOrDefault(
          partition, new Watermark(partition, Watermark.NONE, Watermark.NONE));
    }
  }
}
