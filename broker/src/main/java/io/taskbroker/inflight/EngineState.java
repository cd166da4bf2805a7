package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.EnginePorts;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.OffsetPort;
import io.taskbroker.inflight.api.OutboxPort;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.inflight.api.StorePort;
import io.taskbroker.inflight.api.TaskLifecycle;
import io.taskbroker.inflight.api.TokenEpoch;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Shared state of the engine's parts: tasks in flight, clocks and counters. Not thread-safe.
final class EngineState {
  private static final byte[] NO_PAYLOAD = {};

  final EngineOptions options;
  final StorePort store;
  final OutboxPort outbox;
  final OffsetPort offsets;
  private final EventPort events;
  final RandomGenerator random;

  /// Whether activations are followed in the log.
  final boolean follows;

  /// Null unless tasks are traced.
  final @Nullable TaskSpans spans;

  /// Tasks in memory, by id.
  final Map<String, InFlightTask> tasks = new HashMap<>();

  final TaskCounters counters = new TaskCounters();

  final ApplicationQueues queues;

  final TaskRecorder recorder;

  final DeliveryGate gate = new DeliveryGate(this);

  final MemoryBudget memory;
  final Timers timers = new Timers();
  final Tombstones tombstones = new Tombstones();

  final UnknownFires unknownFires = new UnknownFires();

  /// Ids of the parked rows, with their keys.
  final ParkedIds parked;

  final DuplicateIdQueue duplicateIds = new DuplicateIdQueue();

  /// Tasks that Kafka refused.
  final Quarantine quarantined = new Quarantine();

  /// Monotonic and wall-clock milliseconds.
  long now;

  long wall;

  Rules rules = Rules.NONE;

  Pauses pauses = Pauses.NONE;

  /// Runnable tasks that a pause holds, in the order in which they became runnable.
  final Set<InFlightTask> held = new LinkedHashSet<>();

  long lastKey;

  /// The largest key of a row from before this process.
  private long firstKey = Long.MAX_VALUE;

  /// Time until which reports of deliveries by previous processes can arrive, monotonic
  /// milliseconds: a task that a worker may have is not delivered before.
  private long settlesAt = Long.MIN_VALUE;

  /// Until when workers can come back that had tasks from streams of a previous owner, monotonic
  /// milliseconds.
  private long workersBackBy = Long.MIN_VALUE;

  long storeBytes;
  boolean delivering = true;

  /// End of the broker's lease, monotonic milliseconds and milliseconds since the epoch (H11).
  private long leaseUntil;

  private long leaseWallUntil = Long.MAX_VALUE;

  int claimed;
  int delayed;
  int forwarding;

  /// Epoch of the tokens of this process's deliveries.
  private final TokenEpoch epoch;

  /// Number of deliveries by this process.
  private long deliveries;

  private int outstanding;

  /// The outstanding changes that wait while the disk is full.
  private int takingSpace;

  EngineState(EngineOptions options, EnginePorts ports, RandomGenerator random, TokenEpoch epoch) {
    this.options = options;
    this.epoch = epoch;
    this.store = ports.store();
    this.outbox = ports.outbox();
    this.offsets = ports.offsets();
    this.events = ports.events();
    this.follows = events.follows();
    this.spans = events.traces() ? new TaskSpans(this, events) : null;
    this.recorder = new TaskRecorder(events, options.finishedRetention());
    this.random = random;
    this.queues = new ApplicationQueues(options, ports.push());
    this.memory = new MemoryBudget(options.limits().maxMemoryBytes());
    this.parked = new ParkedIds(options.shared());
    this.leaseUntil = options.shared() ? Long.MIN_VALUE : Long.MAX_VALUE;
  }

  /// Starts to assign keys to rows, above all existing ones.
  void begin(long largestKey) {
    lastKey = largestKey;
    firstKey = largestKey;
  }

  /// Whether a row existed before this process, or belongs to another broker.
  boolean isInherited(long key) {
    return key <= firstKey || key > lastKey;
  }

  /// Counts a delivery of the task and returns it, with its token.
  Delivery delivery(InFlightTask task) {
    task.deliveries++;
    task.attempt = ++deliveries;
    return new Delivery(task, task.deliveries, epoch, task.attempt);
  }

  /// The token of the last delivery of the task: by this process, or by an earlier one whose worker
  /// has named it.
  AttemptToken lastToken(InFlightTask task) {
    AttemptToken named = task.named;
    return named == null ? new AttemptToken(epoch.value(), task.attempt) : named;
  }

  /// Ends the attempt of the worker that has the task on a stream: it may report a result that has
  /// no effect any more.
  void leaveWorker(InFlightTask task) {
    WorkerStream stream = task.stream;
    if (stream != null) {
      task.stream = null;
      stream.lost(lastToken(task), task);
    }
  }

  /// Whether the token is that of the task's last delivery by this process.
  boolean isLastDelivery(InFlightTask task, AttemptToken token) {
    return token.number() == task.attempt && token.epoch() == epoch.value();
  }

  /// Waits a moment for reports of deliveries by previous owners.
  void awaitReports() {
    settlesAt = now + options.periods().settle();
  }

  /// Waits for workers that had tasks from streams of a previous owner.
  void awaitWorkers() {
    workersBackBy = now + Workers.COME_BACK_MS;
  }

  /// When a task may run that a worker had from a stream of a previous owner, unless its worker
  /// names it before, monotonic milliseconds.
  long workersBackBy() {
    return Math.max(now, workersBackBy);
  }

  /// When a task may run on which a report may still arrive, monotonic milliseconds.
  long settlesAt() {
    return Math.max(now, settlesAt);
  }

  /// The queue of an application; created if missing.
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

  /// Removes a channel. Its delivered tasks keep their leases and deadlines.
  void unregister(String application, DeliveryChannel channel) {
    queueOf(application).channels().remove(channel);
  }

  /// Whether commands that lead to changes may be accepted (H14). A quarter of the room is reserved
  /// for changes that take no space: on a full disk reports free space, and no change that waits
  /// for space blocks them (H12).
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
    if (change instanceof Change.Fire fire) {
      unknownFires.begin(fire);
    } else if (change instanceof Change.Delete delete && unknownFires.hold(delete)) {
      return;
    }
    outstanding++;
    if (change.takesSpace()) {
      takingSpace++;
    }
    store.write(change);
  }

  /// Writes a change that the task may have to wait for.
  void writeFor(InFlightTask task, Change change) {
    task.pendingWrites++;
    write(change);
  }

  /// Handles the known outcome of a change.
  void changeDone(Change change) {
    outstanding--;
    if (change.takesSpace()) {
      takingSpace--;
    }
  }

  /// Counts queries to the store, which take the room of as many changes (H14).
  void queriesSent(int questions) {
    outstanding += questions;
  }

  void queriesAnswered(int questions) {
    outstanding -= questions;
  }

  /// Whether tasks may be delivered now.
  boolean mayDeliver() {
    return delivering && now < leaseUntil && wall < leaseWallUntil;
  }

  void leaseRenewed(Command.LeaseRenewed lease) {
    leaseUntil = lease.until();
    leaseWallUntil = lease.wallUntil();
  }

  /// Whether the task must not run before its offset is committed. In a shared store any broker
  /// that reads the record finds its row (H2).
  boolean awaitsOffsetCommit(InFlightTask task) {
    return !options.shared() && task.awaitsOffsetCommit();
  }

  /// Adds a task in its first status.
  void add(InFlightTask task) {
    recorder.begin(task, wall);
    tasks.put(task.id(), task);
    memory.occupy(task);
    count(task, 1);
  }

  /// Adds a task whose id may be in flight. Returns false if it must wait for the end of the other
  /// task.
  boolean join(InFlightTask task) {
    if (!tasks.containsKey(task.id())) {
      add(task);
      return true;
    }
    recorder.begin(task, wall);
    memory.occupy(task);
    count(task, 1);
    duplicateIds.add(task);
    return false;
  }

  /// Replaces a task by its next attempt, which has the same row.
  void replace(InFlightTask task, InFlightTask attempt) {
    attempt.record = task.record;
    memory.vacate(task);
    add(attempt);
  }

  /// Removes a task whose row is gone or belongs to another broker.
  void remove(InFlightTask task) {
    leaveWorker(task);
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

  /// Replaces a refused task by a copy without payload; the payload is on disk (H19). The copy
  /// counts as memory, so that an application that fills the quarantine stops only itself (G7, G8).
  ///
  /// @param size bytes of the payload that Kafka refused
  InFlightTask quarantine(InFlightTask task, int size, String why) {
    memory.vacate(task);
    var kept =
        new InFlightTask(
            task.key, task.activation.withPayload(NO_PAYLOAD), task.state(), task.queue);
    kept.destination = task.destination;
    kept.attempt = task.attempt;
    kept.record = task.record;
    tasks.put(kept.id(), kept);
    memory.occupy(kept);
    quarantined.add(kept, task, size, now, wall, why);
    return kept;
  }

  void holdOutgoing(InFlightTask task, byte @Nullable [] payload) {
    memory.vacate(task);
    task.outgoingPayload = payload;
    memory.occupy(task);
  }

  /// Moves a task to the state that follows an event, and updates the counters: the only writer of
  /// both.
  ///
  /// @throws IllegalStateException if the event cannot happen in the task's state
  void transition(InFlightTask task, TaskEvent event) {
    TaskState before = task.state();
    count(task, -1);
    task.apply(event);
    count(task, 1);
    if (spans != null) {
      spans.moved(task, before, event);
    }
    recorder.moved(task, before, event, wall);
  }

  /// Suspends or resumes a task: a suspended one takes no room from others.
  void suspend(InFlightTask task, boolean suspended) {
    if (task.suspended != suspended) {
      count(task, -1);
      task.suspended = suspended;
      count(task, 1);
    }
  }

  private void count(InFlightTask task, int by) {
    if (task.suspended && (task.status() == Status.PENDING || task.status() == Status.DELAY)) {
      task.queue.suspended += by;
      return;
    }
    counter(task).count(task.status(), by);
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

  private TaskCounter counter(InFlightTask task) {
    TaskCounter known = task.counter;
    if (known == null) {
      known = counters.of(task.activation);
      task.counter = known;
    }
    return known;
  }

  /// Keeps a runnable task from delivery while a pause matches it. It may expire meanwhile.
  void hold(InFlightTask task) {
    held.add(task);
    if (task.activation.expiresAt() != Activation.NEVER) {
      timers.set(task, monotonicTime(task.activation.expiresAt()));
    }
  }

  /// Removes the task from its ready queue or from those that are held, and cancels its timer.
  void detach(InFlightTask task) {
    if (!held.isEmpty()) {
      held.remove(task);
    }
    task.queue.ready.remove(task);
    timers.cancel(task);
  }

  /// Makes a pending task runnable; not before its time, if the wall clock was set back before that
  /// (G5).
  void enqueue(InFlightTask task, boolean back) {
    if (isEarly(task.activation)) {
      timers.set(task, monotonicTime(task.activation.delayUntil()));
      return;
    }
    if (task.queue.isRoutable() && !task.queue.hasReady()) {
      queues.sending.add(task.queue);
    }
    task.queue.ready.add(task, back);
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

  /// The monotonic time of a wall-clock time, by the current clocks.
  long monotonicTime(long wallTime) {
    long until = wallTime - wall;
    return now > 0 && until > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + until;
  }

  long wallTime(long monoTime) {
    return wall + (monoTime - now);
  }

  /// The destination of an activation that failed for good.
  Destination deadLetter(Activation failed, String why) {
    return Destination.ofDeadLetter(options.deadLetterTopic(), failed, why, wall);
  }

  /// Reports a step in the life of an activation, if activations are followed.
  void follow(TaskLifecycle step, Activation activation, String detail) {
    if (follows) {
      events.follow(step, activation, detail);
    }
  }

  /// Reports the arrival of an activation, with its origin and the end of its delay.
  void received(TaskLifecycle step, Activation activation) {
    Origin origin = activation.origin();
    String from = origin.topic() + "-" + origin.partition() + " at " + origin.offset();
    long until = activation.delayUntil();
    boolean waits = until > wall && until != Long.MAX_VALUE;
    follow(step, activation, waits ? from + ", until " + Instant.ofEpochMilli(until) : from);
  }

  /// Sets why the delivery of a task is about to end, if tasks are traced.
  void because(InFlightTask task, String why, String detail) {
    if (spans != null) {
      spans.because(task, why, detail);
    }
  }

  /// Reports an event of a task, and counts it for its name.
  void event(EngineEvent event, InFlightTask task, String detail) {
    counter(task).count(event);
    if (event == EngineEvent.COMPLETED) {
      long ran = task.claimedAt == 0 ? -1 : now - task.claimedAt;
      events.event(event, task.activation, ran, detail);
    } else {
      event(event, task.activation, detail);
    }
  }

  /// Reports an event of an activation without a task.
  void event(EngineEvent event, Activation activation, String detail) {
    long since = Math.max(activation.receivedAt(), activation.delayUntil());
    events.event(event, activation, wall - since, detail);
    if (spans != null) {
      spans.dropped(event, activation, detail);
    }
  }

  /// Reports an event of an id of which the engine knows no more.
  void event(EngineEvent event, String id, String detail) {
    events.event(event, id, detail);
  }

  /// Reports an event of a task without attempts: the duration of a repeated delivery means
  /// nothing.
  void eventUnlessRepeated(EngineEvent event, InFlightTask task) {
    if (task.attempts == 0) {
      event(event, task, "");
    }
  }

  /// Reports an event of a queue at most once a minute.
  void event(EngineEvent event, ApplicationQueue queue, String detail) {
    if (now - queue.noticedAt >= 60_000 || queue.noticedAt == Long.MIN_VALUE) {
      queue.noticedAt = now;
      events.event(event, queue.application, detail);
    }
  }

  /// The detail of an event about a demotion.
  static String namespaceAndTask(Activation activation) {
    return activation.namespace() + "/" + activation.taskname();
  }

  /// Settles the replies that wait for the task's decision to be durable.
  void settle(InFlightTask task) {
    for (Reply reply : task.takeReplies()) {
      settled.addLast(reply);
    }
  }

  /// Replies with an effect that became durable.
  final ArrayDeque<Reply> settled = new ArrayDeque<>();
}
