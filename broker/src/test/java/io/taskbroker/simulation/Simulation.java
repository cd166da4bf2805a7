package io.taskbroker.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.InMemoryStore;
import io.taskbroker.store.SharedInMemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One history: tasks are published while faults happen, then all faults end, and everything must
/// finish within a time limit.
final class Simulation {
  /// Time limit after the faults: longer than any deadline, delay, backoff and session.
  private static final long PATIENCE = 300 * SimulatedWorld.SECOND;

  /// How many records a log loses at most.
  private static final int MAX_CUT = 8;

  final SimulatedWorld world;
  final SeedPlan plan;
  final Ledger ledger;
  final SimulatedKafka kafka;
  final Workers workers;
  private final @Nullable EnqueueClients clients;
  private final @Nullable ScheduleClients operators;
  final List<SimulatedBroker> brokers = new ArrayList<>();
  private final @Nullable Consumer<Story> script;
  private final SharedInMemoryStore.Disk primary = new SharedInMemoryStore.Disk();
  private SharedInMemoryStore.@Nullable Disk standby;
  private boolean failedOver;
  private int published;

  /// A history determined entirely by the seed.
  Simulation(long seed, boolean traces, Tampering tampering) {
    this(new SimulatedWorld(seed, traces), tampering, null);
  }

  /// A scripted history; the seed determines what the script leaves open.
  Simulation(
      long seed, boolean traces, Tampering tampering, SeedPlan plan, Consumer<Story> script) {
    this(new SimulatedWorld(seed, traces, plan), tampering, script);
  }

  private Simulation(SimulatedWorld world, Tampering tampering, @Nullable Consumer<Story> script) {
    this.world = world;
    this.script = script;
    plan = world.plan;
    ledger = new Ledger(world, plan);
    kafka = new SimulatedKafka(world, plan, ledger);
    workers = new Workers(world, plan);
    if (plan.has(Fault.FAILOVER)) {
      primary.countPositions(world::wall);
    }
    var database = new SimulatedDisk.Database(primary);
    for (int i = 0; i < plan.brokers(); i++) {
      var file = new InMemoryStore.Disk();
      if (plan.has(Fault.SNAPSHOT_RESTORED)) {
        file.countPositions();
      }
      SimulatedDisk disk = plan.shared() ? database : new SimulatedDisk.File(file);
      String name = String.valueOf((char) ('A' + i));
      var broker = new SimulatedBroker(name, disk, world, plan, kafka, workers, tampering);
      brokers.add(broker);
      if (!plan.push()) {
        workers.pull(broker);
      }
    }
    workers.reportTo(brokers);
    clients = plan.direct() ? new EnqueueClients(world, plan, ledger, brokers) : null;
    operators = plan.schedules() ? new ScheduleClients(world, plan, ledger, brokers) : null;
  }

  /// Runs the history to its end.
  ///
  /// @throws Violation if a guarantee is broken
  void run() {
    if (plan.schedules()) {
      runBesideThreads();
    } else {
      runHistory();
    }
  }

  /// Runs the history on a virtual thread: it costs little then to pass the turn to another one, a
  /// [SimulatedThread], and back.
  private void runBesideThreads() {
    var history =
        new FutureTask<Void>(
            () -> {
              try {
                runHistory();
              } finally {
                endThreads();
              }
            },
            null);
    Thread.ofVirtual().start(history);
    try {
      history.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Error error -> throw error;
        case RuntimeException exception -> throw exception;
        case null, default -> throw new AssertionError(e);
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void endThreads() {
    for (SimulatedBroker broker : brokers) {
      SimulatedProcess process = broker.run();
      if (process != null) {
        process.endThreads();
      }
    }
  }

  private void runHistory() {
    world.trace(plan::toString);
    brokers.forEach(
        broker -> world.after(world.between(0, SimulatedWorld.SECOND), "start", broker::start));
    var story = new Story(this);
    if (script != null) {
      workers.orders.bePatient();
      script.accept(story);
    }
    long end = plan.publishSeconds() * SimulatedWorld.SECOND;
    for (int i = 0; i < plan.tasks(); i++) {
      world.after(world.between(0, end), "publish", this::publish);
    }
    if (clients != null) {
      clients.start(end);
      brokers.forEach(broker -> StreamWorker.startSome(world, ledger, broker));
    }
    if (operators != null) {
      operators.start(end);
      world.after(SimulatedWorld.SECOND, "slots", this::checkSlots);
    }
    world.after(world.between(0, SimulatedWorld.SECOND), "disturb", this::disturb);
    world.runUntil(end, () -> false);
    world.trace(() -> "no faults from now on");
    world.endFaults();
    brokers.forEach(SimulatedBroker::setClock);
    long last = world.now() + PATIENCE;
    // Requests in flight need some time to arrive.
    world.runUntil(world.now() + 10 * SimulatedWorld.SECOND, () -> false);
    endIgnorance();
    world.runUntil(last, this::isDone);
    if (!isDone()) {
      throw new Violation("G8", "not finished:\n" + ledger.leftOver(kafka));
    }
    ledger.checkEnd(kafka);
    for (SimulatedBroker broker : brokers) {
      SimulatedProcess process = broker.run();
      Violation.check(
          process == null || process.isReady(),
          "G9",
          () -> process + " is not ready without a cause");
    }
    story.checkEnd();
  }

  /// Runs the history to its end.
  ///
  /// @return one line with the broken guarantee, or with the exception of a broker; empty if
  ///   nothing is wrong
  String find() {
    try {
      run();
      return "";
    } catch (Violation e) {
      return firstLine(e);
    } catch (RuntimeException | AssertionError e) {
      return "exception in the broker: " + firstLine(e);
    }
  }

  private static String firstLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("?");
  }

  private boolean isDone() {
    return ledger.isDone()
        && kafka.isConsumed()
        && (clients == null || clients.isDone())
        && (operators == null || (operators.isDone() && ledger.schedules.isDone()));
  }

  /// Brokers that nothing disturbs fire slots in time.
  private void checkSlots() {
    for (SimulatedBroker broker : brokers) {
      SimulatedProcess process = broker.run();
      if (process != null && process.isUndisturbed()) {
        ledger.schedules.checkPrompt(process);
      }
    }
    world.after(SimulatedWorld.SECOND, "slots", this::checkSlots);
  }

  /// Lets each broker commit after a failover, in each partition: only a commit shows it.
  private void endIgnorance() {
    if (failedOver) {
      for (SimulatedKafka.Topic topic : kafka.read()) {
        for (int i = 0; i < topic.partitions().size(); i++) {
          kafka.append(topic.name(), i, task().toByteArray());
        }
      }
    }
  }

  private void publish() {
    if (plan.raw() && world.random.nextInt(3) == 0) {
      kafka.append(SimulatedKafka.RAW, 0, ("raw value " + world.random.nextInt()).getBytes(UTF_8));
      return;
    }
    byte[] value = world.happens(Fault.POISON) ? Ledger.poison() : task().toByteArray();
    int partitions = kafka.topic(SimulatedKafka.TASKS).partitions().size();
    kafka.append(SimulatedKafka.TASKS, world.random.nextInt(partitions), value);
  }

  private TaskActivation task() {
    boolean again = published > 0 && world.happens(Fault.SAME_ID_AGAIN);
    int number = again ? world.random.nextInt(published) : published++;
    long wall = world.wall();
    var state =
        RetryState.newBuilder()
            .setMaxAttempts(3)
            .setAtMostOnce(world.random.nextInt(4) == 0)
            .setOnAttemptsExceeded(
                world.random.nextBoolean()
                    ? OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER
                    : OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DISCARD);
    var task =
        TaskActivation.newBuilder()
            .setId("task-" + number)
            .setApplication(Workers.APPLICATIONS.get(world.random.nextInt(2)))
            .setNamespace(world.random.nextBoolean() ? "ns" : "other")
            .setTaskname(world.random.nextInt(4) == 0 ? "toil" : "work")
            .setParametersBytes(ByteString.copyFrom(new byte[world.random.nextInt(60)]))
            .setProcessingDeadlineDuration(1 + world.random.nextInt(4))
            .setRetryState(state)
            .setReceivedAt(
                Timestamp.newBuilder()
                    .setSeconds(wall / 1_000)
                    .setNanos((int) (wall % 1_000) * 1_000_000));
    int kind = world.random.nextInt(10);
    if (kind == 0) {
      task.setDelay(1 + world.random.nextInt(4));
    } else if (kind == 1) {
      task.setDelay(10 + world.random.nextInt(20));
    } else if (kind == 2) {
      task.setExpires(1 + world.random.nextInt(8));
    }
    return task.build();
  }

  /// Occasional actions of an operator.
  private void operate() {
    SimulatedKafka.Topic topic = kafka.read().get(world.random.nextInt(kafka.read().size()));
    SimulatedKafka.Topic tasks = kafka.topic(SimulatedKafka.TASKS);
    boolean alone = plan.brokers() == 1;
    if (world.happens(Fault.RULES_CHANGE)) {
      SimulatedRules rules = rules();
      world.count("rule changes");
      brokers.forEach(broker -> broker.setRules(rules));
    } else if (alone && world.happens(Fault.OFFSET_RESET)) {
      reset(topic, world.random.nextInt(topic.partitions().size()));
    } else if (alone && world.happens(Fault.TOPIC_MADE_ANEW) && isOver(topic)) {
      brokers.forEach(broker -> broker.crash("recreation of a topic"));
      kafka.recreate(topic);
    } else if (world.happens(Fault.LOG_CUT)) {
      cut(topic, world.random.nextInt(topic.partitions().size()));
    } else if (world.happens(Fault.FAILOVER)) {
      failOver();
    } else if (world.happens(Fault.VOLUME_RESTORED)) {
      restoreVolume();
    } else if (tasks.partitions().size() < 4 && world.happens(Fault.PARTITION_ADDED)) {
      world.count("partitions added");
      kafka.addPartition(tasks);
    }
  }

  private SimulatedRules rules() {
    return switch (world.random.nextInt(4)) {
      case 0 -> SimulatedRules.killing("toil");
      case 1 -> SimulatedRules.demoting("other");
      case 2 -> new SimulatedRules(Set.of("chew"), Set.of("ns"), SimulatedKafka.RETRIES, true);
      default -> SimulatedRules.NONE;
    };
  }

  /// A known limit: if the database has lost that it ever had a partition, its records are lost.
  private boolean isKnownToDatabase() {
    int partitions = kafka.read().stream().mapToInt(topic -> topic.partitions().size()).sum();
    return primary.watermarks().size() == partitions;
  }

  /// A known limit: a broker that has committed nothing since its start notices a failover only if
  /// the standby does not say that it has the partition.
  private static boolean isUnaware(SimulatedBroker broker, SharedInMemoryStore.Disk copy) {
    SimulatedProcess process = broker.run();
    return process != null && process.isUnawareOf(copy);
  }

  /// The database is copied, or the copy takes over, which lacks the transactions since.
  private void failOver() {
    SharedInMemoryStore.Disk copy = standby;
    if (copy == null) {
      if (!isKnownToDatabase()) {
        return;
      }
      world.trace(() -> "the standby is as the primary");
      standby = primary.copy();
      ledger.copied(brokers.getFirst());
    } else if (brokers.stream().noneMatch(broker -> isUnaware(broker, copy))) {
      world.trace(() -> "the standby takes over");
      world.count("failovers");
      world.set(Fault.FAILOVER, 0);
      failedOver = true;
      primary.failOver(copy);
      ledger.failedOver(brokers.getFirst());
    }
  }

  /// Once in a history: after several, nothing is known of a log until one of its records is read.
  private void restoreVolume() {
    if (kafka.hasSnapshot()) {
      brokers.forEach(broker -> broker.crash("Kafka's volume is put back"));
      kafka.restoreSnapshot();
      world.set(Fault.VOLUME_RESTORED, 0);
    } else {
      kafka.takeSnapshot();
    }
  }

  /// A known limit: of a log that was cut, nothing is known until one of its records is read. So
  /// each is cut once.
  private void cut(SimulatedKafka.Topic topic, int partition) {
    long end = topic.end(partition);
    if (end > 0 && topic.epochs().current(partition) == 0) {
      kafka.cut(topic, partition, end - world.between(1, Math.min(end, MAX_CUT)));
    }
  }

  /// Offsets can be set only while the group has no members.
  private void reset(SimulatedKafka.Topic topic, int partition) {
    long committed = topic.group().committed(partition);
    if (committed < 0) {
      return;
    }
    brokers.forEach(broker -> broker.crash("offset reset by an operator"));
    long end = topic.end(partition);
    long offset =
        switch (world.random.nextInt(4)) {
          case 0 -> 0;
          case 1 -> end;
          case 2 -> world.between(0, committed);
          default -> world.between(committed, end);
        };
    kafka.reset(topic, partition, offset);
  }

  /// Whether a topic was read completely and has no rows left. Retries may arrive in theirs at any
  /// time.
  private boolean isOver(SimulatedKafka.Topic topic) {
    boolean stored =
        brokers.stream()
            .flatMap(broker -> broker.disk.rows().values().stream())
            .anyMatch(row -> row.activation().origin().topic().equals(topic.name()));
    return !stored && !topic.name().equals(SimulatedKafka.RETRIES) && kafka.isConsumed(topic);
  }

  /// Occasional faults of a broker.
  private void disturb() {
    for (SimulatedBroker broker : brokers) {
      SimulatedProcess process = broker.run();
      if (process == null) {
        continue;
      }
      if (world.happens(Fault.CRASH)) {
        broker.crash("killed");
      } else if (world.happens(Fault.STORE_LOST)) {
        broker.loseStore();
      } else if (world.happens(Fault.SNAPSHOT_RESTORED)) {
        broker.copyOrRestoreStore();
      } else if (world.happens(Fault.RESTART_IN_ORDER)) {
        broker.restart();
      } else if (world.happens(Fault.FREEZE)) {
        process.freeze(world.between(SimulatedWorld.SECOND, 12 * SimulatedWorld.SECOND));
      } else if (world.happens(Fault.CLOCK_STEP)) {
        broker.stepClock(world.between(-20_000, 20_000));
      }
    }
    operate();
    if (!world.isQuiet()) {
      world.after(
          world.between(100 * SimulatedWorld.MS, SimulatedWorld.SECOND), "disturb", this::disturb);
    }
  }
}
