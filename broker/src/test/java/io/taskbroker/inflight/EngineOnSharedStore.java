package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.TokenEpoch;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.SharedInMemoryStore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One broker of several on a shared store: the real engine, with the stages around it controlled
/// by the test. By default it commits what is written, answers no call of a worker, acknowledges no
/// produced record, and commits an offset when a partition is released.
final class EngineOnSharedStore implements AllPorts {
  private static final int PAGE = 2;
  private static final int MANY_STEPS = 100_000;

  final String name;
  final List<Delivery> deliveries = new ArrayList<>();
  final List<Delivery> calls = new ArrayList<>();
  final List<OutboxRecord> outbox = new ArrayList<>();
  final List<EngineEvent> notices = new ArrayList<>();
  final List<SourcePartition> lost = new ArrayList<>();

  /// Revoked partitions that are not drained.
  final Set<SourcePartition> undrained = new HashSet<>();

  /// Whether writes are committed at once.
  boolean commits = true;

  /// Whether it misses the notifications of reports that others recorded.
  boolean deaf;

  /// End of the lease as the broker knows it, monotonic milliseconds.
  long leaseUntil;

  /// Called when the engine reports an outcome that cannot be; fails the test by default.
  BiConsumer<Change, ChangeOutcome> onUnexpected =
      (change, outcome) -> {
        throw new AssertionError(outcome + " of " + change);
      };

  /// The worker's answer to a push; null: no answer yet.
  Function<Delivery, @Nullable PushOutcome> worker = _ -> null;

  private final EnginesOnSharedStore peers;
  private final RigOptions options;
  private final Map<SourcePartition, Long> positions = new HashMap<>();
  private final Map<SourcePartition, Long> consumed = new HashMap<>();
  private final Map<SourcePartition, Integer> generations = new HashMap<>();
  private final ArrayDeque<Command> commands = new ArrayDeque<>();

  private final Outbound outbound;

  private @Nullable SharedInMemoryStore store;
  private @Nullable Engine engine;
  private boolean asleep;
  private long effects;

  EngineOnSharedStore(EnginesOnSharedStore peers, String name, RigOptions options) {
    this.peers = peers;
    this.name = name;
    this.options = options;
    this.outbound = new Outbound(name, this::tell);
  }

  void start() {
    store = new SharedInMemoryStore(peers.disk, name, this::hear);
    long lastKey = store.lastKey();
    var epoch = TokenEpoch.at(peers.wall, new SplittableRandom(lastKey).nextLong());
    var loaded = new Engine(options.build(true), ports(), new SplittableRandom(lastKey), epoch);
    engine = loaded;
    loaded.advance(peers.now, peers.wall);
    store.load(0, Integer.MAX_VALUE).forEach(loaded::restore);
    store.loadParked(0, Integer.MAX_VALUE).forEach(loaded::restore);
    loaded.start(lastKey);
    tell(new Command.LeaseRenewed(Long.MAX_VALUE));
    settle();
  }

  private void hear(List<RemoteReport> reports) {
    if (!deaf) {
      tell(new Command.RemoteReportsRead(reports));
    }
  }

  /// Crashes; its lease lapses.
  void crash() {
    store().lapse();
    engine = null;
    asleep = false;
    commands.clear();
    outbound.clear();
    calls.clear();
    outbox.clear();
    undrained.clear();
    for (Log log : peers.logs) {
      if (log.owner == this) {
        log.owner = null;
        log.inOrder = false;
      }
    }
  }

  boolean isUp() {
    return engine != null;
  }

  boolean isAwake() {
    return engine != null && !asleep;
  }

  /// Suspends, as a suspended machine does.
  void sleep() {
    asleep = true;
  }

  /// Resumes where it was suspended.
  void wake() {
    asleep = false;
    settle();
  }

  SharedInMemoryStore store() {
    if (store == null) {
      throw new AssertionError(name + " was never started");
    }
    return store;
  }

  Engine engine() {
    if (engine == null) {
      throw new AssertionError(name + " is down");
    }
    return engine;
  }

  Depths depths() {
    return Depths.of(engine());
  }

  long nextWake() {
    return engine == null || asleep ? Long.MAX_VALUE : engine.nextWake();
  }

  void tell(Command command) {
    commands.add(command);
  }

  void step() {
    engine().advance(peers.now, peers.wall);
    for (Command command = commands.poll(); command != null; command = commands.poll()) {
      apply(command);
    }
    engine().advance(peers.now, peers.wall);
  }

  private void apply(Command command) {
    switch (command) {
      case Command.LeaseRenewed lease -> leaseUntil = lease.until();
      case Command.Fenced fenced -> peers.observer.fenced(this, fenced.changes());
      default -> {}
    }
    engine().apply(ObservedReplies.observe(peers.bug.heard(command), this::delivered));
  }

  void settle() {
    long before;
    int steps = 0;
    if (engine == null || asleep) {
      return;
    }
    do {
      before = effects;
      step();
      if (commits) {
        commitAll();
      }
      if (++steps > MANY_STEPS) {
        throw new AssertionError(name + " does not become idle at " + peers.now);
      }
    } while (effects != before || !commands.isEmpty());
    if (nextWake() <= peers.now) {
      throw new AssertionError(
          name + " spins: it wants to wake at " + nextWake() + ", it is " + peers.now);
    }
  }

  private void commitAll() {
    while (!outbound.isEmpty()) {
      outbound.commit(Integer.MAX_VALUE, batch -> peers.bug.commit(this, batch));
    }
  }

  /// Commits up to `most` changes in one transaction, then answers the queries behind them.
  void commit(int most) {
    outbound.commit(most, batch -> peers.bug.commit(this, batch));
    settle();
  }

  /// Commits what waits, without a check of the ownership of its partitions.
  void commitUnfenced() {
    outbound.commit(Integer.MAX_VALUE, store()::commitUnfenced);
  }

  boolean hasWaiting() {
    return !outbound.isEmpty();
  }

  /// Whether the partition may be acquired.
  boolean mayTake(Log log) {
    return log.owner == null && !undrained.contains(log.source);
  }

  /// Acquires the assigned partition, with all tasks in flight of it.
  void take(Log log) {
    take(log, () -> {});
  }

  /// @param meanwhile runs after its rows were read, and before its reports are
  void take(Log log, Runnable meanwhile) {
    SourcePartition source = log.source;
    if (!mayTake(log)) {
      throw new AssertionError(name + " must not acquire " + source);
    }
    int generation = peers.nextGeneration();
    generations.put(source, generation);
    if (store().take(source, generation).isEmpty()) {
      throw new AssertionError(name + " cannot acquire " + source);
    }
    log.owner = this;
    log.revoked = false;
    peers.observer.taken(this, log);
    List<Row> rows = store().load(source, 0, PAGE);
    while (!rows.isEmpty()) {
      tell(loaded(log, rows, List.of()));
      rows = store().load(source, rows.getLast().key(), PAGE);
    }
    List<ParkedRow> parked = store().loadParked(source, 0, PAGE);
    while (!parked.isEmpty()) {
      tell(loaded(log, List.of(), parked));
      parked = store().loadParked(source, parked.getLast().key(), PAGE);
    }
    meanwhile.run();
    Map<Fingerprint, Long> tombstones = new HashMap<>();
    for (Tombstone tombstone : peers.bug.tombstones(store(), source, peers.wall)) {
      tombstones.put(tombstone.id(), tombstone.until());
    }
    tell(
        new Command.PartitionLoaded(
            source,
            List.of(),
            List.of(),
            tombstones,
            peers.bug.reports(store(), source),
            log.inOrder));
    long watermark = peers.bug.watermark(peers.disk, source);
    long next = Math.max(0, Math.max(log.committed, watermark));
    positions.put(source, next);
    consumed.put(source, next);
    tell(new Command.PartitionAssigned(source, log.committed));
    settle();
  }

  /// Tries to acquire a partition that it had before, in the generation in which it had it.
  void retake(Log log) {
    Integer generation = generations.get(log.source);
    if (generation != null) {
      var _ = peers.bug.retake(store(), log.source, generation, peers);
    }
  }

  private static Command.PartitionLoaded loaded(Log log, List<Row> rows, List<ParkedRow> parked) {
    return new Command.PartitionLoaded(log.source, rows, parked, Map.of(), List.of(), log.inOrder);
  }

  /// Reads on.
  void poll(Log log, int most) {
    long from = positions.getOrDefault(log.source, 0L);
    long next = Math.min(log.records.size(), from + most);
    positions.put(log.source, next);
    List<Command.IngestedRecord> arrivals = log.records.subList((int) from, (int) next);
    tell(new Command.Ingest(log.source, List.copyOf(arrivals), next, 0));
  }

  /// Appends tasks and ingests them.
  void send(Log log, Task... tasks) {
    for (Task task : tasks) {
      log.append(task);
    }
    poll(log, Integer.MAX_VALUE);
    settle();
  }

  /// Begins to release the partition.
  void revoke(Log log, boolean isLost) {
    undrained.add(log.source);
    log.revoked |= log.owner == this;
    if (!isLost) {
      peers.observer.revoked(this, log);
    }
    tell(new Command.PartitionRevoked(log.source, isLost));
    settle();
  }

  /// Releases the partition, as far as the engine is drained of it; the rest is evicted.
  void revokeAndRelease(Log log) {
    revoke(log, false);
    release(log);
  }

  /// Ends the release of a partition.
  void release(Log log) {
    log.inOrder = !undrained.contains(log.source);
    if (!log.inOrder) {
      revoke(log, true);
    }
    commitOffset(log);
    store().release(log.source, log.inOrder);
    log.owner = null;
    peers.observer.released(log);
    settle();
  }

  /// Kafka revokes the partition, or another broker takes it over; this broker is not informed.
  void expel(Log log) {
    log.owner = null;
    log.inOrder = false;
  }

  void commitOffset(Log log) {
    long next = consumed.getOrDefault(log.source, Watermark.NONE);
    if (log.owner == this && next > log.committed) {
      log.committed = next;
      tell(new Command.OffsetCommitted(log.source, next));
    }
  }

  long consumed(Log log) {
    return consumed.getOrDefault(log.source, Watermark.NONE);
  }

  void answer(Delivery delivery, PushOutcome outcome) {
    if (!calls.remove(delivery)) {
      throw new AssertionError("No call is pending for " + delivery.id());
    }
    tell(new Command.PushEnded(delivery, outcome, "as the test says"));
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
    tell(new Command.Produced(record));
  }

  RigReply claim() {
    var reply = new RigReply();
    tell(new Command.Claim(null, null, reply));
    settle();
    return reply;
  }

  RigReply report(Status status, String... ids) {
    var reply = new RigReply();
    List<Command.Update> updates = new ArrayList<>();
    for (String id : ids) {
      updates.add(new Command.Update(id, status, -1, -1));
    }
    tell(new Command.Report(updates, null, reply));
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

  List<String> deliveredIds() {
    return deliveries.stream().map(Delivery::id).toList();
  }

  @Override
  public void write(Change change) {
    effects++;
    outbound.add(change);
  }

  private void ask(Supplier<Command> query) {
    effects++;
    outbound.ask(query);
  }

  @Override
  public void readParked(
      String application, int priority, long afterDue, long afterKey, long upTo, int limit) {
    ask(() -> {
      var page =
          store().due(new ParkedQuery(application, priority, afterDue, afterKey, upTo, limit));
      return new Command.ParkedRead(application, priority, page.rows(), page.nextDue(), upTo);
    });
  }

  @Override
  public void readRows(List<Long> keys, Object owner) {
    ask(() -> new Command.RowsRead(store().rows(keys), owner));
  }

  @Override
  public void forwardReports(List<RemoteReport> reports, Object owner) {
    ask(() -> new Command.ReportsForwarded(peers.bug.report(store(), reports), owner));
  }

  @Override
  public void readReports(List<Long> keys, Object owner) {
    ask(() -> new Command.ReportsRead(peers.bug.reports(store(), keys), owner));
  }

  @Override
  public void readFinished(String id, Object owner) {
    ask(() -> new Command.FinishedRead(store().finished(id).orElse(null), owner));
  }

  @Override
  public void barrier(Object owner) {
    ask(() -> new Command.BarrierPassed(owner));
  }

  @Override
  public void push(Delivery delivery) {
    delivered(delivery);
    PushOutcome outcome = worker.apply(delivery);
    if (outcome == null) {
      calls.add(delivery);
    } else {
      tell(new Command.PushEnded(delivery, outcome, "as the worker says"));
    }
  }

  private void delivered(@Nullable Delivery delivery) {
    effects++;
    if (delivery != null) {
      deliveries.add(delivery);
      peers.observer.handedOut(this, delivery);
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
    consumed.put(partition, nextOffset);
  }

  @Override
  public void drained(SourcePartition partition) {
    effects++;
    undrained.remove(partition);
  }

  @Override
  public void lost(SourcePartition partition) {
    effects++;
    lost.add(partition);
  }

  @Override
  public void unexpected(Change change, ChangeOutcome outcome) {
    onUnexpected.accept(change, outcome);
  }

  @Override
  public void event(EngineEvent event, Activation about, long age, String detail) {
    if (event.isLogged()) {
      event(event, about.id(), detail);
    }
  }

  @Override
  public void event(EngineEvent notice, String id, String detail) {
    effects++;
    notices.add(notice);
    peers.observer.noticed(notice, id);
  }
}
