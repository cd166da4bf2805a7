package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The state that the parts of the engine share: what is in flight, the time, and the accounts. Not
/// thread-safe.
final class EngineState {
  private static final byte[] NO_PAYLOAD = {};

  final EngineOptions options;
  final Effects effects;
  final RandomGenerator random;

  /// Whether somebody follows the lives of activations.
  final boolean follows;

  /// What is in memory, by id.
  final Map<String, InFlightTask> tasks = new HashMap<>();

  /// What there is of each task, and what became of it.
  final TaskCounters counters = new TaskCounters();

  /// The applications, and which of them have something to do.
  final ApplicationQueues queues;

  final MemoryBudget memory;
  final Timers timers = new Timers();
  final Tombstones tombstones = new Tombstones();

  /// Ids of the rows that are parked, with their keys.
  final ParkedIds parked;

  final DuplicateIdQueue duplicateIds = new DuplicateIdQueue();

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
  int forwarding;

  private int outstanding;

  /// Of these, the changes that wait while the disk is full.
  private int takingSpace;

  EngineState(EngineOptions options, Effects effects, RandomGenerator random) {
    this.options = options;
    this.effects = effects;
    this.follows = effects.follows();
    this.random = random;
    this.queues = new ApplicationQueues(options);
    this.memory = new MemoryBudget(options.limits().maxMemoryBytes());
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
  ApplicationQueue queueOf(String application) {
    return queues.of(application, now);
  }

  /// Registers a channel by which tasks of an application are delivered from now on.
  void register(String application, DeliveryChannel channel) {
    ApplicationQueue queue = queueOf(application);
    queue.channels().add(channel);
    if (queue.hasReady()) {
      queues.sending.add(queue);
    }
  }

  /// Removes a channel. What it delivered keeps its lease or deadline.
  void unregister(String application, DeliveryChannel channel) {
    queueOf(application).channels().remove(channel);
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
  void writeFor(InFlightTask task, Change change) {
    task.pendingWrites++;
    write(change);
  }

  /// The fate of a change is known.
  void changeDone(Change change) {
    outstanding--;
    if (change.takesSpace()) {
      takingSpace--;
    }
  }

  /// Takes note of questions to the store, which take the room of as many changes (H14).
  void queriesSent(int questions) {
    outstanding += questions;
  }

  void queriesAnswered(int questions) {
    outstanding -= questions;
  }

  /// Whether anything may be handed out now.
  boolean mayDeliver() {
    return delivering && now < leaseUntil && wall < leaseWallUntil;
  }

  void leaseRenewed(Command.LeaseRenewed lease) {
    leaseUntil = lease.until();
    leaseWallUntil = lease.wallUntil();
  }

  /// Whether the entry must not run before its offset is committed. Where brokers share a store,
  /// whoever reads the record finds its row (H2).
  boolean awaitsOffsetCommit(InFlightTask task) {
    return !options.shared() && task.awaitsOffsetCommit();
  }

  /// Takes up an entry in its first status.
  void add(InFlightTask task) {
    tasks.put(task.id(), task);
    memory.occupy(task);
    count(task, 1);
  }

  /// Takes up an entry whose id may be in flight. Returns false if it has to wait for the end of
  /// that one.
  boolean join(InFlightTask task) {
    if (!tasks.containsKey(task.id())) {
      add(task);
      return true;
    }
    memory.occupy(task);
    count(task, 1);
    duplicateIds.add(task);
    return false;
  }

  /// Forgets an entry whose row is gone, or is not ours any more.
  void remove(InFlightTask task) {
    boolean inFlight = tasks.remove(task.id(), task);
    memory.vacate(task);
    if (duplicateIds.isEmpty()) {
      return;
    }
    if (!inFlight) {
      duplicateIds.remove(task);
      return;
    }
    InFlightTask duplicate = duplicateIds.next(task.id());
    if (duplicate != null) {
      tasks.put(duplicate.id(), duplicate);
    }
  }

  /// Leaves of an entry that stays for an unknown time only what its id needs; its payload is on
  /// disk. It counts no more (H19).
  ///
  /// @param size bytes of what Kafka refused
  InFlightTask quarantine(InFlightTask task, int size, String why) {
    memory.vacate(task);
    var kept =
        new InFlightTask(
            task.key, task.activation.withPayload(NO_PAYLOAD), task.state(), task.queue);
    kept.destination = task.destination;
    tasks.put(kept.id(), kept);
    quarantined.add(kept, task, size, now, wall, why);
    return kept;
  }

  void holdOutgoing(InFlightTask task, byte @Nullable [] payload) {
    memory.vacate(task);
    task.outgoingPayload = payload;
    memory.occupy(task);
  }

  /// Moves a task to the state that follows an event, and the accounts with it: the only writer of
  /// both.
  ///
  /// @throws IllegalStateException if the event cannot happen in the task's state
  void transition(InFlightTask task, TaskEvent event) {
    count(task, -1);
    task.apply(event);
    count(task, 1);
  }

  /// Lets an entry take room, or not.
  void suspend(InFlightTask task, boolean aside) {
    if (task.suspended != aside) {
      count(task, -1);
      task.suspended = aside;
      count(task, 1);
    }
  }

  private void count(InFlightTask task, int by) {
    if (task.suspended && (task.status() == Status.PENDING || task.status() == Status.DELAY)) {
      task.queue.suspended += by;
      return;
    }
    account(task).count(task.status(), by);
    switch (task.status()) {
      case PENDING -> task.queue.pending += by;
      case CLAIMED -> {
        task.queue.handedOut += by;
        claimed += by;
      }
      case PROCESSING -> task.queue.handedOut += by;
      case DELAY -> {
        delayed += by;
        task.queue.delayed += by;
        if (task.unparked) {
          task.queue.unparked += by;
        }
      }
      case FAILURE, RETRY -> {
        if (task.step() != Step.QUARANTINED) {
          forwarding += by;
        }
      }
      case COMPLETE -> {}
    }
    queues.schedule(task.queue);
  }

  private TaskCounter account(InFlightTask task) {
    TaskCounter known = task.account;
    if (known == null) {
      known = counters.of(task.activation);
      task.account = known;
    }
    return known;
  }

  /// Takes the entry out of everything that could make it run or wake.
  void detach(InFlightTask task) {
    task.queue.dequeue(task);
    timers.cancel(task);
  }

  /// Makes a pending entry runnable; at its time, if the wall clock was set back behind that (G5).
  void enqueue(InFlightTask task, boolean back) {
    if (isEarly(task.activation)) {
      timers.set(task, monotonicTime(task.activation.delayUntil()));
      return;
    }
    if (task.queue.isRoutable() && !task.queue.hasReady()) {
      queues.sending.add(task.queue);
    }
    task.queue.enqueue(task, back);
    if (task.activation.expiresAt() != Activation.NEVER) {
      timers.set(task, monotonicTime(task.activation.expiresAt()));
    }
  }

  boolean isEarly(Activation activation) {
    return activation.delayUntil() > wall;
  }

  boolean isExpired(Activation activation) {
    return activation.expiresAt() <= wall;
  }

  /// The monotonic time of a wall-clock time, as the clocks stand now.
  long monotonicTime(long wallTime) {
    long until = wallTime - wall;
    return now > 0 && until > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + until;
  }

  long wallTime(long monoTime) {
    return wall + (monoTime - now);
  }

  /// Where an activation goes that failed for good.
  Destination deadLetter(Activation failed, String why) {
    return Destination.ofDeadLetter(options.deadLetterTopic(), failed, why, wall);
  }

  /// Tells a step in the life of an activation, if somebody follows it.
  void follow(TaskLifecycle step, Activation activation, String detail) {
    if (follows) {
      effects.follow(step, activation, detail);
    }
  }

  /// The same of one that came, with where from and until when it waits.
  void received(TaskLifecycle step, Activation activation) {
    Origin origin = activation.origin();
    String from = origin.topic() + "-" + origin.partition() + " at " + origin.offset();
    long until = activation.delayUntil();
    boolean waits = until > wall && until != Long.MAX_VALUE;
    follow(step, activation, waits ? from + ", until " + Instant.ofEpochMilli(until) : from);
  }

  void tally(Tally tally, InFlightTask task) {
    account(task).count(tally);
    tally(tally, task.activation);
  }

  /// The same of an activation of which there is no entry.
  void tally(Tally tally, Activation activation) {
    long since = Math.max(activation.receivedAt(), activation.delayUntil());
    effects.count(tally, activation, wall - since);
  }

  /// The same of an entry: how long something takes that had to be tried again says nothing.
  void tallyUnlessRepeated(Tally tally, InFlightTask task) {
    if (task.attempts == 0) {
      tally(tally, task);
    }
  }

  /// Says it of a lane once a minute.
  void notice(ApplicationQueue queue, Notice notice, String detail) {
    if (now - queue.noticedAt >= 60_000 || queue.noticedAt == Long.MIN_VALUE) {
      queue.noticedAt = now;
      effects.notice(notice, queue.application, detail);
    }
  }

  /// Answers those who waited for the entry's fate to be durable.
  void settle(InFlightTask task) {
    for (Reply reply : task.takeWaiting()) {
      settled.addLast(reply);
    }
  }

  /// Replies one of whose causes is durable.
  final ArrayDeque<Reply> settled = new ArrayDeque<>();
}
