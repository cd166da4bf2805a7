package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Status;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The state that the parts of the engine share: what is in flight, the time, and the accounts. Not
/// thread-safe.
final class Flight {
  /// Past so many applications, those of which nothing is in flight are forgotten (G7).
  private static final int MAX_IDLE_LANES = 1_000;

  private static final byte[] NO_PAYLOAD = {};

  final InflightOptions options;
  final Effects effects;
  final RandomGenerator random;

  /// What is in memory, by id.
  final Map<String, Entry> entries = new HashMap<>();

  final Map<String, Lane> lanes = new LinkedHashMap<>();

  /// The lane of what belongs to no application that is known.
  final Lane nobody = new Lane("", false, new CallWindow(1), 0);

  final Timers timers = new Timers();
  final Tombstones tombstones = new Tombstones();

  /// Ids of the rows that are parked, with their keys.
  final FingerprintMap parked = new FingerprintMap();

  /// Monotonic and wall-clock milliseconds.
  long now;

  long wall;

  long lastKey;
  long storeBytes;
  boolean delivering = true;

  int delayed;
  int leaving;
  private int outstanding;
  private long residentBytes;

  Flight(InflightOptions options, Effects effects, RandomGenerator random) {
    this.options = options;
    this.effects = effects;
    this.random = random;
  }

  Lane lane(String application) {
    Lane lane = lanes.get(application);
    if (lane == null) {
      if (lanes.size() >= MAX_IDLE_LANES) {
        lanes.values().removeIf(Lane::isIdle);
      }
      var pushed = options.pushApplications();
      boolean routable = pushed != null && pushed.contains(application);
      lane = new Lane(application, routable, new CallWindow(options.limits().maxCalls()), now);
      lanes.put(application, lane);
    }
    return lane;
  }

  /// Whether commands may be accepted that lead to changes (H14).
  boolean hasRoom() {
    return outstanding < options.limits().maxChanges();
  }

  /// Whether records may be accepted: they leave a quarter of the room to reports, which make space
  /// when the disk is full and every insert waits for it (H12, H14).
  boolean hasRoomForArrivals() {
    int max = options.limits().maxChanges();
    return outstanding < max - max / 4;
  }

  int outstanding() {
    return outstanding;
  }

  void write(Change change) {
    outstanding++;
    effects.write(change);
  }

  /// Writes down something of an entry that it may have to wait for.
  void mark(Entry entry, Change change) {
    entry.marksUnderWay++;
    write(change);
  }

  void written() {
    outstanding--;
  }

  long residentBytes() {
    return residentBytes;
  }

  boolean hasBytes() {
    return residentBytes < options.limits().maxResidentBytes();
  }

  /// Takes up an entry in its first status.
  void add(Entry entry) {
    entries.put(entry.id(), entry);
    residentBytes += entry.bytes();
    count(entry, 1);
  }

  /// Forgets an entry whose row is gone.
  void remove(Entry entry) {
    entries.remove(entry.id(), entry);
    residentBytes -= entry.bytes();
  }

  /// Leaves of an entry that stays for an unknown time only what its id needs; its payload is on
  /// disk. It counts no more (H19).
  void quarantine(Entry entry) {
    remove(entry);
    leaving--;
    var kept =
        new Entry(entry.key, entry.activation.withPayload(NO_PAYLOAD), entry.status, entry.lane);
    kept.step = entry.step;
    kept.destination = entry.destination;
    entries.put(kept.id(), kept);
  }

  void departs(Entry entry, byte @Nullable [] payload) {
    residentBytes -= entry.bytes();
    entry.departing = payload;
    residentBytes += entry.bytes();
  }

  /// Moves an entry to its next status, and the accounts with it.
  void turn(Entry entry, Status next) {
    count(entry, -1);
    entry.become(next);
    count(entry, 1);
  }

  /// Lets an entry take room, or not.
  void setAside(Entry entry, boolean aside) {
    if (entry.aside != aside) {
      count(entry, -1);
      entry.aside = aside;
      count(entry, 1);
    }
  }

  private void count(Entry entry, int by) {
    if (entry.aside && (entry.status == Status.PENDING || entry.status == Status.DELAY)) {
      entry.lane.aside += by;
      return;
    }
    switch (entry.status) {
      case PENDING -> entry.lane.pending += by;
      case CLAIMED, PROCESSING -> entry.lane.handedOut += by;
      case DELAY -> {
        delayed += by;
        entry.lane.delayed += by;
        if (entry.recalled) {
          entry.lane.recalled += by;
        }
      }
      case FAILURE, RETRY -> leaving += by;
      case COMPLETE -> {}
    }
  }

  /// Takes the entry out of everything that could make it run or wake.
  void detach(Entry entry) {
    entry.lane.dequeue(entry);
    timers.cancel(entry);
  }

  /// Makes a pending entry runnable; at its time, if the wall clock was set back behind that (G5).
  void enqueue(Entry entry, boolean first) {
    if (isEarly(entry.activation)) {
      timers.set(entry, mono(entry.activation.delayUntil()));
      return;
    }
    entry.lane.enqueue(entry, first);
    if (entry.activation.expiresAt() != Activation.NEVER) {
      timers.set(entry, mono(entry.activation.expiresAt()));
    }
  }

  boolean isEarly(Activation activation) {
    return activation.delayUntil() > wall;
  }

  boolean isExpired(Activation activation) {
    return activation.expiresAt() <= wall;
  }

  /// The monotonic time of a wall-clock time, as the clocks stand now.
  long mono(long wallTime) {
    long until = wallTime - wall;
    return now > 0 && until > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + until;
  }

  long wall(long monoTime) {
    return wall + (monoTime - now);
  }

  /// Answers those who waited for the entry's fate to be durable.
  void settle(Entry entry) {
    for (Reply reply : entry.takeWaiting()) {
      settled.addLast(reply);
    }
  }

  /// Replies one of whose causes is durable.
  final ArrayDeque<Reply> settled = new ArrayDeque<>();
}
