package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Priority;
import io.taskbroker.activation.Row;
import io.taskbroker.store.RowBrowser;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Zone map of the rows: the names, priorities and times that the rows of each zone of [#ZONE] keys
/// may have, so that a search reads no zone without a match. It is in memory only and costs the
/// database nothing: all rows that the writer loads, inserts, changes and deletes pass through it.
///
/// A zone may name what it no longer has, never the other way round. Until the rows are loaded, and
/// for the oldest of more than [#MAX_ZONES] zones, anything may be anywhere. Thread-safe: one lock,
/// held for the changes of a commit, or for [#STEP] zones of a search.
final class ZoneMap {
  static final int ZONE_BITS = 12;
  static final int ZONE = 1 << ZONE_BITS;

  /// Most zones with rows that are known: a few megabytes.
  static final int MAX_ZONES = 16_384;

  /// Most names of a zone; with more it may have any.
  static final int MAX_NAMES = 16;

  private static final int MAX_SHARED_NAMES = 10_000;
  private static final int STEP = 256;

  /// Zones of one range: a search reads it in windows of some tens of milliseconds anyway.
  private static final int RANGE = 64;

  private final TreeMap<Long, Zone> zones = new TreeMap<>();
  private final Map<Name, Name> shared = new HashMap<>();
  private long loadedTo;
  private long parkedLoadedTo;

  /// Largest key of the zones that were forgotten.
  private long forgottenTo = Long.MIN_VALUE;

  private long lastNumber = Long.MIN_VALUE;
  private @Nullable Zone last;

  /// @param empty whether the store has no rows yet, and none to load
  ZoneMap(boolean empty) {
    loadedTo = empty ? Long.MAX_VALUE : Row.NONE;
    parkedLoadedTo = loadedTo;
  }

  /// Keys of rows that may match.
  ///
  /// @param to exclusive
  record Range(long from, long to) {}

  private record Name(String application, String namespace, String taskname) {}

  /// Adds a page of rows that are not parked.
  ///
  /// @param after key after which the page begins
  synchronized void loaded(long after, List<Row> page) {
    page.forEach(this::add);
    if (after <= loadedTo) {
      loadedTo = page.isEmpty() ? Long.MAX_VALUE : Math.max(loadedTo, page.getLast().key());
    }
  }

  /// Notes that the parked rows up to a key were added.
  ///
  /// @param after key after which they begin
  /// @param to the last one; [Long#MAX_VALUE] if there are no more
  synchronized void parkedLoaded(long after, long to) {
    if (after <= parkedLoadedTo) {
      parkedLoadedTo = Math.max(parkedLoadedTo, to);
    }
  }

  /// Adds a parked row.
  ///
  /// @param receivedAt milliseconds since the epoch
  synchronized void addParked(ParkedRow row, String namespace, String taskname, long receivedAt) {
    Zone zone = zone(row.key());
    zone.received(receivedAt);
    zone.prioritized(row.priority());
    zone.parkedFrom = Math.min(zone.parkedFrom, row.parkedUntil());
    add(zone.parked, row.application(), namespace, taskname);
  }

  /// Notes changes that are about to be committed.
  synchronized void committing(List<Change> changes) {
    for (int i = 0; i < changes.size(); i++) { // allocates no iterator
      switch (changes.get(i)) {
        case Change.Insert change -> add(change.row());
        case Change.Fire change -> add(change.row());
        case Change.ChangePriority change -> prioritized(change);
        case Change.UpdateStatus change -> unparked(change.key());
        case Change.ChangeDelay change -> unparked(change.key());
        case Change.Forward change -> unparked(change.key());
        case Change.Retry change -> unparked(change.key());
        case Change.ConfirmOffset _,
            Change.Delete _,
            Change.AdvanceWatermark _,
            Change.OffsetCommitted _ -> {}
      }
    }
  }

  /// Notes changes that are committed.
  synchronized void committed(List<Change> changes) {
    for (int i = 0; i < changes.size(); i++) {
      if (changes.get(i) instanceof Change.Delete change) {
        deleted(change.key());
      }
    }
  }

  private void deleted(long key) {
    Zone zone = known(key >> ZONE_BITS);
    if (zone == null) {
      return;
    }
    int place = (int) (key & (ZONE - 1));
    if (zone.places.get(place)) {
      zone.places.clear(place);
      if (--zone.size == 0) {
        zone.unparked.clear();
        if (zone.parked.isEmpty()) {
          zones.remove(key >> ZONE_BITS);
          last = null;
        }
      }
    }
  }

  private void add(Row row) {
    Activation activation = row.activation();
    if (row.parkedUntil() != Row.NONE) {
      addParked(
          ParkedRow.of(row),
          activation.namespace(),
          activation.taskname(),
          activation.receivedAt());
      return;
    }
    Zone zone = zone(row.key());
    zone.received(activation.receivedAt());
    zone.prioritized(activation.priority());
    zone.mark(row.key());
    add(zone.unparked, activation.application(), activation.namespace(), activation.taskname());
  }

  /// The row is not parked any more; which of the zone's parked ones it was is not known.
  private void unparked(long key) {
    Zone zone = known(key >> ZONE_BITS);
    if (zone != null && zone.mark(key)) {
      zone.unparked.addAll(zone.parked);
    }
  }

  private void prioritized(Change.ChangePriority change) {
    Zone zone = known(change.key() >> ZONE_BITS);
    if (zone == null) {
      return;
    }
    zone.prioritized(change.priority());
    if (change.parkedUntil() == Row.NONE) {
      unparked(change.key());
    } else {
      zone.parkedFrom = Math.min(zone.parkedFrom, change.parkedUntil());
      zone.parked.addAll(zone.unparked);
    }
  }

  private Zone zone(long key) {
    Zone zone = known(key >> ZONE_BITS);
    if (zone == null) {
      zone = new Zone();
      zones.put(key >> ZONE_BITS, zone);
      last = zone;
      if (zones.size() > MAX_ZONES) {
        long oldest = zones.firstKey();
        zones.remove(oldest);
        last = null;
        forgottenTo = ((oldest + 1) << ZONE_BITS) - 1;
      }
    }
    return zone;
  }

  private @Nullable Zone known(long number) {
    if (last == null || number != lastNumber) {
      last = zones.get(number);
      lastNumber = number;
    }
    return last;
  }

  private void add(Names names, String application, String namespace, String taskname) {
    if (names.lacks(application, namespace, taskname)) {
      if (shared.size() >= MAX_SHARED_NAMES) {
        shared.clear();
      }
      names.add(shared.computeIfAbsent(new Name(application, namespace, taskname), it -> it));
    }
  }

  /// The next keys that a search must read; empty if there are none.
  ///
  /// @param from the first key that counts
  Optional<Range> next(long from, RowBrowser.Query query) {
    long reached = from;
    while (true) {
      Range found = step(reached, query);
      if (found == null || found.to() > found.from()) {
        return Optional.ofNullable(found);
      }
      reached = found.to();
    }
  }

  /// As [#next] for some zones; an empty range tells where to go on.
  private synchronized @Nullable Range step(long from, RowBrowser.Query query) {
    if (loadedTo != Long.MAX_VALUE || parkedLoadedTo != Long.MAX_VALUE) {
      return new Range(from, Long.MAX_VALUE);
    }
    if (from <= forgottenTo) {
      return new Range(from, forgottenTo + 1);
    }
    Map.Entry<Long, Zone> each = zones.ceilingEntry(from >> ZONE_BITS);
    for (int i = 0; each != null && !each.getValue().mayMatch(query); i++) {
      if (i == STEP) {
        long reached = each.getKey() << ZONE_BITS;
        return new Range(reached, reached);
      }
      each = zones.higherEntry(each.getKey());
    }
    if (each == null) {
      return null;
    }
    long first = each.getKey();
    long end = first + 1;
    while (end < first + RANGE && mayMatch(end, query)) {
      end++;
    }
    return new Range(Math.max(from, first << ZONE_BITS), end << ZONE_BITS);
  }

  private boolean mayMatch(long number, RowBrowser.Query query) {
    Zone zone = zones.get(number);
    return zone != null && zone.mayMatch(query);
  }

  /// Number of zones.
  synchronized int size() {
    return zones.size();
  }

  /// Rows of adjacent keys.
  private static final class Zone {
    /// Names of the parked rows.
    final Names parked = new Names();

    /// Earliest time until which one of them is parked.
    long parkedFrom = Long.MAX_VALUE;

    /// Names of the other rows.
    final Names unparked = new Names();

    /// Places in the zone of the rows that are not parked.
    final BitSet places = new BitSet();

    /// Number of these.
    int size;

    /// Priorities of all rows, a bit each.
    private int priorities;

    private long receivedFrom = Long.MAX_VALUE;
    private long receivedTo = Long.MIN_VALUE;

    /// Marks a row as one that is not parked; returns whether it was not marked before.
    boolean mark(long key) {
      int place = (int) (key & (ZONE - 1));
      if (places.get(place)) {
        return false;
      }
      places.set(place);
      size++;
      return true;
    }

    void received(long at) {
      receivedFrom = Math.min(receivedFrom, at);
      receivedTo = Math.max(receivedTo, at);
    }

    void prioritized(int priority) {
      priorities |= 1 << (priority - Priority.LAST);
    }

    boolean mayMatch(RowBrowser.Query query) {
      boolean isParkedAsked = query.parked().orElse(true);
      boolean isUnparkedAsked = !query.parked().orElse(false);
      return receivedTo >= query.receivedFrom()
          && receivedFrom < query.receivedTo()
          && query.priority().filter(it -> (priorities >> (it - Priority.LAST) & 1) == 0).isEmpty()
          && ((isParkedAsked && parkedFrom <= query.parkedTo() && parked.mayMatch(query))
              || (isUnparkedAsked && size > 0 && unparked.mayMatch(query)));
    }
  }

  /// Names of some rows.
  private static final class Names {
    private final ArrayList<Name> list = new ArrayList<>(1);
    private boolean any;

    boolean isEmpty() {
      return list.isEmpty() && !any;
    }

    boolean lacks(String application, String namespace, String taskname) {
      if (any) {
        return false;
      }
      for (int i = list.size() - 1; i >= 0; i--) { // allocates no iterator
        Name name = list.get(i);
        if (name.taskname.equals(taskname)
            && name.application.equals(application)
            && name.namespace.equals(namespace)) {
          return false;
        }
      }
      return true;
    }

    void add(Name name) {
      if (list.size() == MAX_NAMES) {
        any = true;
        list.clear();
      } else {
        list.add(name);
      }
    }

    void addAll(Names others) {
      any |= others.any;
      for (Name name : others.list) {
        if (lacks(name.application, name.namespace, name.taskname)) {
          add(name);
        }
      }
    }

    void clear() {
      list.clear();
      any = false;
    }

    boolean mayMatch(RowBrowser.Query query) {
      if (any) {
        return true;
      }
      for (Name name : list) {
        if (query.application().filter(it -> !it.equals(name.application)).isEmpty()
            && query.namespace().filter(it -> !it.equals(name.namespace)).isEmpty()
            && query.taskname().filter(it -> !it.equals(name.taskname)).isEmpty()) {
          return true;
        }
      }
      return false;
    }
  }
}
