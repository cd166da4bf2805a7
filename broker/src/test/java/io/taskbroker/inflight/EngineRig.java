package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.inflight.api.TaskSpan;
import io.taskbroker.inflight.api.TokenEpoch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The real engine in a deterministic world: stopped clocks, and a store, workers, an outbox and
/// Kafka that the test controls. Everything that the engine does not own survives [#crash].
///
/// By default the rig commits what is written, answers no call of a worker, acknowledges no
/// produced record and commits no offset.
final class EngineRig implements AllPorts {
  private static final int MANY_STEPS = 100_000;

  /// Monotonic and wall-clock milliseconds. A monotonic clock may be negative.
  long now = -50_000;

  long wall = 1_700_000_000_000L;

  final RigStore store = new RigStore();

  /// All deliveries, by push or pull, in order.
  final List<Delivery> deliveries = new ArrayList<>();

  /// Pending push calls.
  final List<Delivery> calls = new ArrayList<>();

  /// Records in the outbox that are not produced, and produced records.
  final List<OutboxRecord> outbox = new ArrayList<>();

  final List<OutboxRecord> produced = new ArrayList<>();

  final List<Noticed> notices = new ArrayList<>();

  /// Events of activations, in order.
  final List<Reported> events = new ArrayList<>();

  /// Whether writes are committed at once.
  boolean commits = true;

  /// Whether Kafka acknowledges produced records at once.
  boolean produces;

  /// The worker's answer to a push; null: no answer yet.
  Function<Delivery, @Nullable PushOutcome> worker = _ -> null;

  /// Called with every delivery at the moment of it.
  Runnable onDelivery = () -> {};

  /// Called when the engine reports an outcome that cannot be; fails the test by default.
  BiConsumer<Change, ChangeOutcome> onUnexpected =
      (change, outcome) -> {
        throw new AssertionError(outcome + " of " + change);
      };

  /// Ended steps, if the options ask for them.
  final List<TaskSpan> spans = new ArrayList<>();

  private final RigOptions options;
  private final long seed;
  private Rules rules = Rules.NONE;
  private final Map<SourcePartition, RigPartition> partitions = new LinkedHashMap<>();
  private final ArrayDeque<Object> barriers = new ArrayDeque<>();
  private final ArrayDeque<Command> commands = new ArrayDeque<>();
  private Engine engine;
  private int runs;
  private long effects;

  /// Event of an activation.
  record Reported(EngineEvent event, String id, long age) {}

  /// Event that is logged.
  record Noticed(EngineEvent notice, String id, String detail) {}

  EngineRig(RigOptions options) {
    this(options, 1);
  }

  EngineRig(RigOptions options, long seed) {
    this.options = options;
    this.seed = seed;
    this.engine = load();
  }

  /// An engine with the rows of the store, created as the engine's loop does it.
  private Engine load() {
    var epoch = TokenEpoch.at(wall, runs);
    var loaded = new Engine(options.build(), ports(), new SplittableRandom(seed + runs), epoch);
    runs++;
    engine = loaded;
    loaded.advance(now, wall);
    for (Row row : store.rows()) {
      if (row.parkedUntil() == Row.NONE) {
        loaded.restore(row);
      }
    }
    for (Row row : store.rows()) {
      if (row.parkedUntil() != Row.NONE) {
        loaded.restore(ParkedRow.of(row));
      }
    }
    store
        .tombstones()
        .forEach((id, until) -> {
          if (until > wall) {
            loaded.restoreTombstone(id, until);
          }
        });
    loaded.advance(now, wall);
    loaded.apply(new Command.RulesChanged(rules));
    loaded.start(store.lastKey());
    return loaded;
  }

  /// Kills the broker and restarts it. The monotonic clock starts at another value.
  void crash() {
    store.crash();
    commands.clear();
    barriers.clear();
    calls.clear();
    outbox.clear();
    now = 10_000_000L * runs;
    engine = load();
    settle();
  }

  /// Changes the rules, also for later restarts.
  void rule(Rules others) {
    step(); // earlier commands are handled by the earlier rules
    rules = others;
    tell(new Command.RulesChanged(others));
    settle();
  }

  Rules rules() {
    return rules;
  }

  /// Kills the broker and restarts it with other rules.
  void crash(Rules others) {
    rules = others;
    crash();
  }

  Engine engine() {
    return engine;
  }

  Depths depths() {
    return Depths.of(engine);
  }

  RigPartition partition(String topic, int number) {
    var partition = new RigPartition(this, topic, number);
    partitions.put(partition.source, partition);
    return partition;
  }

  /// An assigned partition without a committed offset.
  RigPartition assigned(String topic) {
    return assigned(topic, 0);
  }

  RigPartition assigned(String topic, int number) {
    RigPartition partition = partition(topic, number);
    partition.assign();
    settle();
    return partition;
  }

  void tell(Command command) {
    commands.add(command);
  }

  /// One round of the engine: pending commands, then the time.
  void step() {
    for (Command command = commands.poll(); command != null; command = commands.poll()) {
      engine.apply(ObservedReplies.observe(command, this::pulled));
    }
    engine.advance(now, wall);
  }

  /// Rounds until nothing happens any more at this time.
  void settle() {
    long before;
    int steps = 0;
    do {
      before = effects;
      step();
      if (commits) {
        commit();
      }
      if (produces) {
        List.copyOf(outbox).forEach(this::acknowledge);
      }
      if (++steps > MANY_STEPS) {
        throw new AssertionError("The engine does not become idle at " + now);
      }
    } while (effects != before || !commands.isEmpty());
    if (engine.nextWake() <= now) {
      throw new AssertionError(
          "The engine spins: it wants to wake at " + engine.nextWake() + ", it is " + now);
    }
  }

  /// Commits everything written so far.
  void commit() {
    do {
      store.commit(Integer.MAX_VALUE).forEach(this::tell);
    } while (!store.isIdle());
    for (Object owner = barriers.poll(); owner != null; owner = barriers.poll()) {
      tell(new Command.BarrierPassed(owner));
    }
  }

  /// Commits up to `most` changes and informs the engine.
  void commit(int most) {
    store.commit(most).forEach(this::tell);
    settle();
  }

  /// Commits everything written so far and informs the engine.
  void commitAndSettle() {
    commit();
    settle();
  }

  /// Advances the time; wakes the engine only when it asked for that.
  void pass(long millis) {
    long end = now + millis;
    settle();
    while (now < end) {
      long next = Math.min(end, engine.nextWake());
      wall += next - now;
      now = next;
      settle();
    }
  }

  /// Moves the wall clock forward or back.
  void stepClock(long millis) {
    wall += millis;
    settle();
  }

  void answer(Delivery delivery, PushOutcome outcome) {
    answer(delivery, outcome, false);
  }

  /// @param others whether there are connections to other workers
  void answer(Delivery delivery, PushOutcome outcome, boolean others) {
    if (!calls.remove(delivery)) {
      throw new AssertionError("No call is pending for " + delivery.id());
    }
    tell(new Command.PushEnded(delivery, outcome, "as the test says", others));
    settle();
  }

  /// Answers the only pending call.
  void answer(PushOutcome outcome) {
    if (calls.size() != 1) {
      throw new AssertionError("Pending calls: " + calls);
    }
    answer(calls.getFirst(), outcome);
  }

  void acknowledge(OutboxRecord record) {
    outbox.remove(record);
    produced.add(record);
    tell(new Command.Produced(record));
  }

  RigReply claim() {
    return claim(null, null);
  }

  /// A worker that is gone before it is answered.
  RigReply claimAndGo() {
    var reply = new RigReply();
    reply.gone = true;
    tell(new Command.Claim(null, null, reply));
    settle();
    return reply;
  }

  RigReply claim(@Nullable String application, @Nullable String namespace) {
    var reply = new RigReply();
    tell(new Command.Claim(application, namespace, reply));
    settle();
    return reply;
  }

  RigReply report(Status status, String... ids) {
    var reply = new RigReply();
    tell(new Command.Report(updates(status, ids), null, reply));
    settle();
    return reply;
  }

  /// A report that carries a token.
  RigReply report(Status status, String id, AttemptToken token) {
    var reply = new RigReply();
    var update = new Command.Update(id, status, -1, -1, token);
    tell(new Command.Report(List.of(update), null, reply));
    settle();
    return reply;
  }

  RigReply reportAndClaim(Status status, String... ids) {
    var reply = new RigReply();
    var next = new Command.Claim(null, null, reply);
    tell(new Command.Report(updates(status, ids), next, reply));
    settle();
    return reply;
  }

  private static List<Command.Update> updates(Status status, String... ids) {
    return List.of(ids).stream().map(id -> new Command.Update(id, status, -1, -1)).toList();
  }

  /// The ids of the deliveries, in order.
  List<String> deliveredIds() {
    return deliveries.stream().map(Delivery::id).toList();
  }

  List<String> outboxIds() {
    return outbox.stream().map(OutboxRecord::id).toList();
  }

  List<EngineEvent> eventsOf(String id) {
    return events.stream().filter(each -> each.id().equals(id)).map(Reported::event).toList();
  }

  /// The engine's figures.
  EngineStats stats() {
    var answer = new ArrayList<EngineStats>();
    tell(new Command.ReadStats(answer::add));
    settle();
    return answer.getFirst();
  }

  List<String> noticed(EngineEvent notice) {
    return notices.stream().filter(noticed -> noticed.notice() == notice).map(Noticed::id).toList();
  }

  @Override
  public void write(Change change) {
    effects++;
    store.write(change);
  }

  @Override
  public void readParked(
      String application, int priority, long afterDue, long afterKey, long upTo, int limit) {
    effects++;
    store.read(application, priority, afterDue, afterKey, upTo, limit);
  }

  @Override
  public void readRows(List<Long> keys, Object owner) {
    effects++;
    store.read(keys, owner);
  }

  @Override
  public void forwardReports(List<RemoteReport> reports, Object owner) {
    throw new AssertionError("The engine does not share its store: " + reports);
  }

  @Override
  public void readReports(List<Long> keys, Object owner) {
    throw new AssertionError("The engine does not share its store: " + keys);
  }

  @Override
  public void readFinished(String id, Object owner) {
    effects++;
    store.readFinished(id, owner);
  }

  @Override
  public void barrier(Object owner) {
    effects++;
    barriers.add(owner);
  }

  @Override
  public void lost(SourcePartition partition) {
    throw new AssertionError("The engine does not share its store: " + partition);
  }

  @Override
  public void push(Delivery delivery) {
    effects++;
    deliveries.add(delivery);
    onDelivery.run();
    PushOutcome outcome = worker.apply(delivery);
    if (outcome == null) {
      calls.add(delivery);
    } else {
      tell(new Command.PushEnded(delivery, outcome, "as the worker says"));
    }
  }

  @Override
  public void produce(OutboxRecord record) {
    effects++;
    outbox.add(record);
  }

  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    effects++;
    RigPartition of = of(partition);
    of.consumed = nextOffset;
    of.settledRecords += records;
    of.settledBytes += bytes;
    of.urgent = urgent;
  }

  @Override
  public void waitsForRoom(SourcePartition partition, @Nullable String application) {
    effects++;
    of(partition).blockedApplication = application;
  }

  @Override
  public void drained(SourcePartition partition) {
    effects++;
    of(partition).drained = true;
  }

  private RigPartition of(SourcePartition partition) {
    RigPartition of = partitions.get(partition);
    if (of == null) {
      throw new AssertionError("Unknown partition: " + partition);
    }
    return of;
  }

  private void pulled(@Nullable Delivery delivery) {
    effects++;
    if (delivery != null) {
      deliveries.add(delivery);
      onDelivery.run();
    }
  }

  @Override
  public void unexpected(Change change, ChangeOutcome outcome) {
    onUnexpected.accept(change, outcome);
  }

  /// The ids of activations that expired, before or after their arrival.
  List<String> expired() {
    return notices.stream()
        .filter(noticed ->
            noticed.notice() == EngineEvent.EXPIRED
                || noticed.notice() == EngineEvent.EXPIRED_ON_ARRIVAL)
        .map(Noticed::id)
        .toList();
  }

  @Override
  public boolean traces() {
    return options.isTraced();
  }

  @Override
  public void span(TaskSpan span) {
    spans.add(span);
  }

  @Override
  public void event(EngineEvent event, Activation about, long age, String detail) {
    events.add(new Reported(event, about.id(), age));
    if (event.isLogged()) {
      event(event, about.id(), detail);
    }
  }

  @Override
  public void event(EngineEvent event, String id, String detail) {
    effects++;
    notices.add(new Noticed(event, id, detail));
  }
}
