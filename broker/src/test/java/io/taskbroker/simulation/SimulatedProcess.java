package io.taskbroker.simulation;

import io.taskbroker.SteppedPartitions;
import io.taskbroker.SteppedWatchdog;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.engine.AllPorts;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.engine.SteppedEngine;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.outbox.SteppedOutbox;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.CommitOptions;
import io.taskbroker.store.InMemoryStore;
import io.taskbroker.store.SharedInMemoryStore;
import io.taskbroker.store.SteppedCommitter;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreQuery;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.jspecify.annotations.Nullable;

/// One process lifetime of a broker: the real stages, wired like in `Broker` and scheduled by the
/// simulated world. Only the disk survives its death.
final class SimulatedProcess implements AllPorts, CommandSink {
  /// Maximum wait of a stopping process for pending calls and transactions.
  private static final long STOP_PATIENCE = 3 * SimulatedWorld.SECOND;

  /// How long a stopping server takes results.
  private static final long GRACE = 2 * SimulatedWorld.SECOND;

  final SimulatedBroker broker;
  final int number;
  private final SimulatedWorld world;
  private final Workers workers;
  private final Mailbox mailbox = new Mailbox(1_024);
  private final CommandSink sink;
  private final SteppedEngine engine;
  private final SteppedCommitter committer;
  private final SteppedOutbox outbox;
  private final Readers readers;
  private final Actor engineThread;
  private final Actor committerThread;
  private final Actor outboxThread;
  private final StageBounds bounds;
  private final SteppedWatchdog watchdog;
  private final Ticker ticker;
  private SimulatedRules inForce;
  private Map<SourcePartition, Long> startOffsets = Map.of();
  private final @Nullable Lease lease;
  private final @Nullable SimulatedSchedules schedules;
  private final @Nullable SimulatedServer server;
  private boolean draining;
  private boolean stopping;
  private final long startedAt;
  private int ruleVersion;
  private boolean ready;
  private boolean alive = true;
  private long frozenUntil;

  SimulatedProcess(
      SimulatedBroker broker, int number, SimulatedWorld world, SeedPlan plan, Workers workers) {
    this.broker = broker;
    this.number = number;
    this.world = world;
    this.workers = workers;
    startedAt = world.now();
    Tampering tampering = broker.tampering;
    // Monotonic clocks start anywhere, even below zero.
    long offset = (number * 37L - 20) * SimulatedWorld.SECOND;
    InstantSource clock = tampering.clock(broker.clock());
    Ticker ticker = tampering.ticker(world.ticker(offset), broker::clockOffset);
    var context = new SystemContext(ticker, clock, world.random);
    inForce = broker.rules();
    sink = tampering.sink(this, this);
    ActivationStore opened;
    switch (broker.disk) {
      case SimulatedDisk.File(var file) -> {
        lease = null;
        var alone = new InMemoryStore(file);
        compareWithKafka(alone, plan);
        opened = alone;
      }
      case SimulatedDisk.Database(var database) -> {
        lease = new Lease(this, world, database, sink, ticker, clock);
        SharedInMemoryStore mine = lease.store();
        mine.onWentBack(() -> {
          broker.ledger.noticed(this);
          sink.submit(new Command.StoreRewound());
        });
        if (!tampering.noticesFailover()) {
          mine.ignorePredecessors();
        }
        opened = new OnceCommitted(mine);
      }
    }
    ActivationStore store = tampering.store(new FaultyStore(opened, this, world, plan), this);
    PartitionOwnership ownership =
        lease == null
            ? PartitionOwnership.sole(
                store.watermarks(), () -> startOffsets, opened::position, opened::handedOut)
            : SteppedPartitions.of(
                new ObservedOwnership(lease.store(), this, world), lease.store(), sink, clock);
    readers = new Readers(this, world, plan, ownership, sink, context);
    CommitOptions options =
        new CommitOptions(
            plan.batchSize(),
            Duration.ofMillis(plan.intervalMillis()),
            Duration.ofMillis(10),
            Duration.ofSeconds(1),
            Duration.ofSeconds(5),
            Duration.ofSeconds(10));
    committer =
        new SteppedCommitter(
            store,
            options,
            SteppedEngine.feed(
                store, sink, SimulatedKafka.DEAD_LETTERS, found -> startOffsets = found, context),
            context);
    committerThread = new Actor(this, world, "committer", committer::turn);
    outboxThread = new Actor(this, world, "outbox", this::turnOutbox);
    outbox =
        new SteppedOutbox(
            sink,
            context,
            () -> new SimulatedProducer(this, broker.kafka, () -> outboxThread.wake(latency())));
    AllPorts ports = tampering.ports(this, this);
    engine = new SteppedEngine(tampering.options(broker.options()), mailbox, ports, context);
    engineThread = new Actor(this, world, "engine", engine::round);
    bounds = new StageBounds(this, tampering.bounds(broker.options()).limits());
    watchdog =
        new SteppedWatchdog(
            Stream.of(engine.progress(), committer.progress(), outbox.progress())
                .map(tampering::progress)
                .toList(),
            Duration.ofMillis(SimulatedBroker.PATIENCE));
    this.ticker = ticker;
    schedules =
        plan.schedules()
            ? new SimulatedSchedules(this, this::ask, sink, plan.shared(), context)
            : null;
    server = plan.direct() ? new SimulatedServer(this, world, sink, schedules, context) : null;
    broker.ledger.started(this);
    engine.start(store, tampering.rules(inForce));
    if (lease != null) {
      lease.renew();
    }
    readers.start();
    engineThread.wake(0);
    committerThread.wake(0);
    if (schedules != null) {
      schedules.start();
    }
    checkStages();
  }

  /// Compares the store with Kafka, like `StoreModule`.
  private void compareWithKafka(InMemoryStore store, SeedPlan plan) {
    if (!plan.has(Fault.SNAPSHOT_RESTORED)) {
      return;
    }
    boolean lacks =
        SteppedReader.isLacking(broker.name, store::lacks, broker.kafka.lastCommits().stream());
    boolean noticed = broker.tampering.wentBack(lacks);
    broker.ledger.compared(this, lacks, noticed);
    if (noticed) {
      store.countAsHandedOut(broker.wall());
    }
  }

  /// Asks the store something.
  private void ask(StoreQuery query) {
    committer.submit(List.of(), List.of(query));
    committerThread.wake(commitLatency());
  }

  private long turnOutbox() {
    return outbox.turn();
  }

  /// Reaction time of a thread.
  long latency() {
    return world.fault(200)
        ? world.between(0, 200 * SimulatedWorld.MS)
        : world.between(SimulatedWorld.MS / 100, SimulatedWorld.MS / 2);
  }

  private long commitLatency() {
    return world.happens(Fault.STORE_STALLS)
        ? world.between(SimulatedWorld.SECOND, 8 * SimulatedWorld.SECOND)
        : world.between(SimulatedWorld.MS / 5, 5 * SimulatedWorld.MS);
  }

  /// Blocks a thread of this process while the world goes on.
  void block(long millis) {
    long until = world.now() + Math.min(millis, 5) * SimulatedWorld.MS;
    do {
      world.runUntil(Math.max(until, frozenUntil), () -> !alive);
    } while (alive && world.now() < frozenUntil);
    if (!alive) {
      throw new Crash("while a thread waited");
    }
  }

  /// Runs the watchdog.
  private void checkStages() {
    boolean was = ready;
    ready = watchdog.look(ticker.nanoTime());
    if (ready != was) {
      world.trace(() -> this + (ready ? " is ready" : " is no longer ready"));
    }
    broker.ledger.watchdogChecked(this, bounds);
    if (was && !ready) {
      world.count("times not ready");
      broker.ledger.becameUnready(this);
    }
    later(SimulatedWorld.SECOND, "watchdog", this::checkStages);
  }

  /// Confirms records in a reader before the engine has seen them.
  void confirmUnseen(Command.Ingest records) {
    readers.consumed(records.partition(), 0, records.arrivals().size(), records.bytes(), false);
  }

  /// Readiness as seen by workers and load balancers.
  boolean isReady() {
    return ready;
  }

  /// Requests statistics from the engine.
  void count(Consumer<EngineStats> reply) {
    sink.submit(new Command.ReadStats(reply));
  }

  StageBounds bounds() {
    return bounds;
  }

  long now() {
    return world.now();
  }

  /// The rules in force in the engine.
  SimulatedRules rules() {
    return inForce;
  }

  /// Sets the rules that the operator wants; the process applies them a moment later.
  void setRules(SimulatedRules wanted) {
    int version = ++ruleVersion;
    later(
        world.between(SimulatedWorld.MS, 500 * SimulatedWorld.MS),
        "rules file changes",
        () -> {
          if (version == ruleVersion) {
            sink.submit(new Command.RulesChanged(new Seen(wanted)));
            later(2 * SimulatedWorld.SECOND, "rules are in force", () -> enforce(version, wanted));
          }
        });
  }

  private void enforce(int version, SimulatedRules wanted) {
    if (version == ruleVersion) {
      inForce = wanted;
    }
  }

  /// Rules that report when the engine starts to apply them.
  private final class Seen implements Rules {
    private final SimulatedRules rules;

    Seen(SimulatedRules rules) {
      this.rules = rules;
    }

    @Override
    public boolean exist() {
      inForce = rules;
      return rules.exist();
    }

    @Override
    public Decision judge(Activation activation) {
      return rules.judge(activation);
    }
  }

  /// Whether it may deliver tasks, as far as it knows about its lease.
  boolean isLeased() {
    return lease == null || lease.holds();
  }

  /// The server of the direct protocol; null if it has none or does not accept calls.
  @Nullable SimulatedServer server() {
    return draining ? null : server;
  }

  /// Whether nothing disturbs it, and has not for some time.
  boolean isUndisturbed() {
    return !stopping
        && !world.plan.disturbsStores()
        && world.now() - startedAt >= 5 * SimulatedWorld.SECOND;
  }

  /// Whether it has stopped to deliver, in worlds with a server.
  boolean isDraining() {
    return draining;
  }

  /// Whether this process owns that partition.
  boolean owns(Origin origin) {
    return lease == null || origin.partition() < 0 || (lease.store().owns(origin) && !isBehind());
  }

  /// Whether the store went back and this process has not noticed.
  boolean isBehind() {
    return lease != null && lease.store().isBehind();
  }

  /// Whether it could not notice that the database became that one.
  boolean isUnawareOf(SharedInMemoryStore.Disk other) {
    return lease != null && lease.store().isUnawareOf(other);
  }

  boolean isAlive() {
    return alive;
  }

  /// Whether its threads are scheduled.
  boolean isResponsive() {
    return alive && world.now() >= frozenUntil;
  }

  /// Schedules an event of this process, which is skipped if it is dead and delayed if it is
  /// frozen.
  void later(long nanos, String what, Runnable body) {
    world.after(
        nanos,
        what,
        () -> {
          if (!alive) {
            return;
          }
          if (world.now() < frozenUntil) {
            later(frozenUntil - world.now(), what, body);
            return;
          }
          try {
            body.run();
          } catch (Crash crash) {
            if (alive) {
              broker.crash(crash.where);
            }
          } catch (StoreException | IllegalStateException e) {
            if (!isFailure(e)) {
              throw e;
            }
            broker.failed(this, String.valueOf(e.getMessage()));
          }
        });
  }

  /// Whether the exception means that another broker has its store or its name; otherwise it is a
  /// bug.
  private static boolean isFailure(RuntimeException e) {
    return e instanceof StoreException store
        ? store.kind() == StoreException.Kind.FATAL
        : e.getCause() instanceof FencedInstanceIdException;
  }

  void freeze(long nanos) {
    world.count("freezes");
    world.trace(() -> this + " is frozen for " + nanos / SimulatedWorld.MS + " ms");
    frozenUntil = Math.max(frozenUntil, world.now() + nanos);
    broker.ledger.frozen(this);
  }

  /// When it resumed after its last freeze, or will.
  long thawedAt() {
    return frozenUntil;
  }

  /// Does something when the process has run for a time without a freeze.
  void calmly(long nanos, String what, Runnable body) {
    long since = world.now();
    later(
        nanos,
        what,
        () -> {
          if (frozenUntil > since) {
            calmly(nanos, what, body);
          } else {
            body.run();
          }
        });
  }

  /// When its threads run: now, or at the end of its freeze.
  long runsAt() {
    return Math.max(world.now(), frozenUntil);
  }

  void die() {
    alive = false;
    if (server != null) {
      server.died();
    }
    endThreads();
  }

  /// Ends the threads that it has beside that of the world.
  void endThreads() {
    if (schedules != null) {
      schedules.died();
    }
  }

  /// Stops deliveries, and ends once everything is durable.
  void stop(Runnable then) {
    stopping = true;
    sink.submit(new Command.Drain());
    if (server != null) {
      later(SimulatedWorld.SECOND / 2, "drained", () -> draining = true);
    }
    later(
        world.between(SimulatedWorld.MS, 20 * SimulatedWorld.MS),
        "stop of readers",
        () -> {
          readers.stop();
          if (server == null) {
            close(then);
          } else {
            server.drain();
            long patience = world.now() + GRACE;
            later(20 * SimulatedWorld.MS, "stop of calls", () -> end(server, patience, then));
          }
        });
  }

  /// Ends the calls of clients and workers, like `GrpcServer`.
  private void end(SimulatedServer calls, long patience, Runnable then) {
    if (calls.isIdle() || world.now() >= patience) {
      calls.failAll();
      if (schedules != null) {
        schedules.stop();
      }
      later(100 * SimulatedWorld.MS, "stop of the engine", () -> close(then));
    } else {
      later(20 * SimulatedWorld.MS, "stop of calls", () -> end(calls, patience, then));
    }
  }

  private void close(Runnable then) {
    mailbox.close("the broker is stopping");
    long patience = world.now() + STOP_PATIENCE;
    later(300 * SimulatedWorld.MS, "end", () -> end(patience, then));
  }

  /// Ends once push calls have ended and their effects are durable, like `Broker`.
  private void end(long patience, Runnable then) {
    if (isIdle() || world.now() >= patience) {
      then.run();
    } else {
      later(20 * SimulatedWorld.MS, "end", () -> end(patience, then));
    }
  }

  /// Whether no push call, command or change is pending.
  boolean isIdle() {
    return !engine.isTold() && bounds.isIdle();
  }

  // Commands to the engine.

  @Override
  public void request(Command.Request request) {
    mailbox.request(request);
    engineThread.wake(latency());
  }

  @Override
  public void submit(Command command) {
    if (command instanceof Command.ProduceRefused refused) {
      broker.ledger.refused(this, refused.record());
    }
    switch (command) {
      case Command.Committed done -> bounds.committed(done.changes());
      case Command.Fenced refused -> bounds.committed(refused.changes());
      case Command.Rejected refused -> bounds.committed(List.of(refused.change()));
      case Command.Ingest records -> bounds.handedOver(records);
      case Command.PartitionRevoked revoked -> bounds.revoked(revoked.partition());
      case Command.LookaheadFound _ -> world.count("neighbours found");
      default -> {}
    }
    mailbox.submit(command);
    engineThread.wake(latency());
  }

  /// Receives the result of a push call.
  void receivePushResult(Command.PushEnded pushed) {
    bounds.answered(pushed.delivery().application());
    broker.ledger.workers.callEnded(this, pushed);
    sink.submit(pushed);
  }

  /// Receives the request of a worker.
  void receiveRequest(Command.Request request) {
    sink.request(request);
  }

  // Effects of the engine.

  @Override
  public void submit(List<Change> changes, List<StoreQuery> queries) {
    bounds.submitted(changes);
    committer.submit(changes, queries);
    committerThread.wake(commitLatency());
  }

  @Override
  public void push(Delivery delivery) {
    bounds.pushed(delivery.application());
    broker.ledger.workers.delivered(this, delivery, false);
    workers.push(this, delivery);
  }

  @Override
  public void produce(OutboxRecord record) {
    broker.ledger.producing(this, record);
    outbox.produce(record);
    outboxThread.wake(latency());
  }

  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    bounds.consumed(partition, records);
    readers.consumed(partition, nextOffset, records, bytes, urgent);
  }

  @Override
  public void waitsForRoom(SourcePartition partition, @Nullable String application) {
    readers.waitsForRoom(partition, application);
  }

  @Override
  public void lost(SourcePartition partition) {
    readers.lost(partition);
  }

  @Override
  public void drained(SourcePartition partition) {
    readers.drained(partition);
  }

  @Override
  public void unexpected(Change change, ChangeOutcome outcome) {
    broker.ledger.unexpected(this, change, outcome);
  }

  @Override
  public void event(EngineEvent notice, Activation about, long age, String detail) {
    WorkerLedger ledger = broker.ledger.workers;
    switch (notice) {
      case DEADLINE_PASSED -> ledger.deadlinePassed(this, about);
      case LEASE_PASSED -> ledger.leasePassed(this, about);
      case WORKER_LOST -> ledger.workerLost(this, about);
      case COMPLETED, DISCARDED, DEAD_LETTERED, RETRIED, EXPIRED, SWITCHED_OFF ->
          ledger.decided(this, about);
      default -> {}
    }
    AllPorts.super.event(notice, about, age, detail);
  }

  @Override
  public void event(EngineEvent notice, String id, String detail) {
    if (notice == EngineEvent.WORKER_DIED) {
      broker.ledger.deaths.blamed(this, id);
    }
    world.count("notice " + notice);
    world.trace(() -> this + " notices " + notice + " " + id + " " + detail);
  }

  @Override
  public String toString() {
    return broker.name + "/" + number;
  }
}
