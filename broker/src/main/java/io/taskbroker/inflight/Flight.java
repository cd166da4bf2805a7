package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The state that the parts of the engine share: what is in flight, the time, and the accounts. Not
/// thread-safe.
final class Flight {
  private static final byte[] NO_PAYLOAD = {};

  final InflightOptions options;
  final Effects effects;
  final RandomGenerator random;

  /// Whether somebody follows the lives of activations.
  final boolean follows;

  /// What is in memory, by id.
  final Map<String, Entry> entries = new HashMap<>();

  /// What there is of each task, and what became of it.
  final TaskAccounts tasks = new TaskAccounts();

  /// The applications, and which of them have something to do.
  final Lanes lanes;

  final Memory memory;
  final Timers timers = new Timers();
  final Tombstones tombstones = new Tombstones();

  /// Ids of the rows that are parked, with their keys.
  final ParkedIds parked;

  final Twins twins = new Twins();

  /// What Kafka refused.
  final Quarantine quarantined = new Quarantine();

  /// Monotonic and wall-clock milliseconds.
  long now;

  long wall;

  Rules rules = Rules.NONE;

  long lastKey;

  /// The largest key of a row from before this life of the broker.
  private long firstKey = Long.MAX_VALUE;

  /// Until when reports of what lives before handed out have to come in, monotonic milliseconds:
  /// what may be with a worker is not handed out before.
  private long settlesAt = Long.MIN_VALUE;

  long storeBytes;
  boolean delivering = true;

  /// When the broker's lease ends, monotonic milliseconds, and milliseconds since the epoch (H11).
  private long leaseUntil;

  private long leaseWallUntil = Long.MAX_VALUE;

  int claimed;
  int delayed;
  int leaving;

  private int outstanding;

  /// Of these, the changes that wait while the disk is full.
  private int takingSpace;

  Flight(InflightOptions options, Effects effects, RandomGenerator random) {
    this.options = options;
    this.effects = effects;
    this.follows = effects.follows();
    this.random = random;
    this.lanes = new Lanes(options);
    this.memory = new Memory(options.limits().maxMemoryBytes());
    this.parked = new ParkedIds(options.shared());
    this.leaseUntil = options.shared() ? Long.MIN_VALUE : Long.MAX_VALUE;
  }

  /// Begins to give keys to rows, above all that there were.
  void begin(long largestKey) {
    lastKey = largestKey;
    firstKey = largestKey;
  }

  /// Whether a row was there before this life of the broker, or is of another broker.
  boolean isInherited(long key) {
    return key <= firstKey || key > lastKey;
  }

  /// Waits a moment for reports of what lives before handed out.
  void awaitReports() {
    settlesAt = now + options.periods().settle();
  }

  /// When an entry may run of which a report may be on its way, monotonic milliseconds.
  long settlesAt() {
    return Math.max(now, settlesAt);
  }

  /// The lane of an application, whether or not anything of it is in flight yet.
  Lane lane(String application) {
    return lanes.of(application, now);
  }

  /// Whether commands may be accepted that lead to changes (H14). A quarter of the room is for
  /// changes that take no space: reports make space when the disk is full, and nothing that waits
  /// for space keeps them out (H12).
  boolean hasRoom() {
    int max = options.limits().maxChanges();
    return outstanding < max || outstanding - takingSpace < max / 4;
  }

  /// Whether activations may be accepted: they leave that quarter free.
  boolean hasRoomForArrivals() {
    int max = options.limits().maxChanges();
    return outstanding < max - max / 4;
  }

  int outstanding() {
    return outstanding;
  }

  void write(Change change) {
    outstanding++;
    if (change.takesSpace()) {
      takingSpace++;
    }
    effects.write(change);
  }

  /// Writes down something of an entry that it may have to wait for.
  void mark(Entry entry, Change change) {
    entry.marksUnderWay++;
    write(change);
  }

  /// The fate of a change is known.
  void written(Change change) {
    outstanding--;
    if (change.takesSpace()) {
      takingSpace--;
    }
  }

  /// Takes note of questions to the store, which take the room of as many changes (H14).
  void asked(int questions) {
    outstanding += questions;
  }

  void answered(int questions) {
    outstanding -= questions;
  }

  /// Whether anything may be handed out now.
  boolean delivers() {
    return delivering && now < leaseUntil && wall < leaseWallUntil;
  }

  void leased(Command.Lease lease) {
    leaseUntil = lease.until();
    leaseWallUntil = lease.wallUntil();
  }

  /// Whether the entry must not run before its offset is committed. Where brokers share a store,
  /// whoever reads the record finds its row (H2).
  boolean isUnproven(Entry entry) {
    return !options.shared() && entry.isUnproven();
  }

  /// Takes up an entry in its first status.
  void add(Entry entry) {
    entries.put(entry.id(), entry);
    memory.occupy(entry);
    count(entry, 1);
  }

  /// Takes up an entry whose id may be in flight. Returns false if it has to wait for the end of
  /// that one.
  boolean join(Entry entry) {
    if (!entries.containsKey(entry.id())) {
      add(entry);
      return true;
    }
    memory.occupy(entry);
    count(entry, 1);
    twins.add(entry);
    return false;
  }

  /// Forgets an entry whose row is gone, or is not ours any more.
  void remove(Entry entry) {
    boolean inFlight = entries.remove(entry.id(), entry);
    memory.vacate(entry);
    if (twins.isEmpty()) {
      return;
    }
    if (!inFlight) {
      twins.remove(entry);
      return;
    }
    Entry twin = twins.next(entry.id());
    if (twin != null) {
      entries.put(twin.id(), twin);
    }
  }

  /// Leaves of an entry that stays for an unknown time only what its id needs; its payload is on
  /// disk. It counts no more (H19).
  ///
  /// @param size bytes of what Kafka refused
  Entry quarantine(Entry entry, int size, String why) {
    memory.vacate(entry);
    leaving--;
    var kept =
        new Entry(entry.key, entry.activation.withPayload(NO_PAYLOAD), entry.status, entry.lane);
    kept.step = entry.step;
    kept.destination = entry.destination;
    entries.put(kept.id(), kept);
    quarantined.add(kept, entry, size, now, wall, why);
    return kept;
  }

  /// Takes an entry up again whose payload was read back, in place of what was left of it.
  void unquarantine(Entry entry) {
    entries.put(entry.id(), entry);
    memory.occupy(entry);
    leaving++;
  }

  void departs(Entry entry, byte @Nullable [] payload) {
    memory.vacate(entry);
    entry.departing = payload;
    memory.occupy(entry);
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
    account(entry).count(entry.status, by);
    switch (entry.status) {
      case PENDING -> entry.lane.pending += by;
      case CLAIMED -> {
        entry.lane.handedOut += by;
        claimed += by;
      }
      case PROCESSING -> entry.lane.handedOut += by;
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
    lanes.schedule(entry.lane);
  }

  private TaskAccount account(Entry entry) {
    TaskAccount known = entry.account;
    if (known == null) {
      known = tasks.of(entry.activation);
      entry.account = known;
    }
    return known;
  }

  /// Takes the entry out of everything that could make it run or wake.
  void detach(Entry entry) {
    entry.lane.dequeue(entry);
    timers.cancel(entry);
  }

  /// Makes a pending entry runnable; at its time, if the wall clock was set back behind that (G5).
  void enqueue(Entry entry, boolean back) {
    if (isEarly(entry.activation)) {
      timers.set(entry, mono(entry.activation.delayUntil()));
      return;
    }
    if (entry.lane.routable && !entry.lane.hasReady()) {
      lanes.sending.add(entry.lane);
    }
    entry.lane.enqueue(entry, back);
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

  /// Where an activation goes that failed for good.
  Destination deadLetter(Activation failed, String why) {
    return Destination.ofDeadLetter(options.deadLetterTopic(), failed, why, wall);
  }

  /// Tells a step in the life of an activation, if somebody follows it.
  void follow(Life step, Activation activation, String detail) {
    if (follows) {
      effects.follow(step, activation, detail);
    }
  }

  /// The same of one that came, with where from and until when it waits.
  void received(Life step, Activation activation) {
    Origin origin = activation.origin();
    String from = origin.topic() + "-" + origin.partition() + " at " + origin.offset();
    long until = activation.delayUntil();
    boolean waits = until > wall && until != Long.MAX_VALUE;
    follow(step, activation, waits ? from + ", until " + Instant.ofEpochMilli(until) : from);
  }

  void tally(Tally tally, Entry entry) {
    account(entry).count(tally);
    tally(tally, entry.activation);
  }

  /// The same of an activation of which there is no entry.
  void tally(Tally tally, Activation activation) {
    long since = Math.max(activation.receivedAt(), activation.delayUntil());
    effects.count(tally, activation, wall - since);
  }

  /// The same of an entry: how long something takes that had to be tried again says nothing.
  void tallyUnlessRepeated(Tally tally, Entry entry) {
    if (entry.attempts == 0) {
      tally(tally, entry);
    }
  }

  /// Says it of a lane once a minute.
  void notice(Lane lane, Notice notice, String detail) {
    if (now - lane.noticedAt >= 60_000 || lane.noticedAt == Long.MIN_VALUE) {
      lane.noticedAt = now;
      effects.notice(notice, lane.application, detail);
    }
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
