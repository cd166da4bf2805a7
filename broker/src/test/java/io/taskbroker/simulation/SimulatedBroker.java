package io.taskbroker.simulation;

import io.taskbroker.activation.Row;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.store.InMemoryStore;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A broker as its operator sees it: a disk, a clock, and a sequence of processes.
final class SimulatedBroker {
  private static final long MAX_OFFSET_MS = 25_000;

  static final long GRACE = 500;
  static final long LEASE = 3_000;
  static final long RESTART_GRACE = 5_000;
  static final long SETTLE = 1_000;
  static final long TOMBSTONE = 120_000;
  static final int MAX_ATTEMPTS = 3;

  /// Maximum time that a stage may have work without progress, in milliseconds.
  static final long PATIENCE = 8_000;

  final String name;
  final SimulatedDisk disk;
  final SimulatedKafka kafka;
  final Ledger ledger;
  final Tampering tampering;
  private final SimulatedWorld world;
  private final SeedPlan plan;
  private final Workers workers;
  private long clockOffset;
  private long latestWall;
  private int runs;
  private String memberName;
  private @Nullable SimulatedProcess process;
  private InMemoryStore.@Nullable Disk snapshot;
  private SimulatedRules rules = SimulatedRules.NONE;

  SimulatedBroker(
      String name,
      SimulatedDisk disk,
      SimulatedWorld world,
      SeedPlan plan,
      SimulatedKafka kafka,
      Workers workers,
      Tampering tampering) {
    this.disk = disk;
    this.name = name;
    this.memberName = name;
    this.world = world;
    this.plan = plan;
    this.kafka = kafka;
    this.ledger = kafka.ledger;
    this.workers = workers;
    this.tampering = tampering;
  }

  InstantSource clock() {
    return () -> Instant.ofEpochMilli(wall());
  }

  /// Sets the operator's rules: a running process receives them; they also apply to the next start.
  void setRules(SimulatedRules wanted) {
    world.trace(() -> name + " should apply " + wanted);
    ledger.rulesChanged(this, wanted);
    rules = wanted;
    if (process != null) {
      process.setRules(wanted);
    }
  }

  /// Group member name of its consumers.
  String memberName() {
    return memberName;
  }

  SimulatedRules rules() {
    return rules;
  }

  /// Offset by which its clock was set forward, in milliseconds.
  long clockOffset() {
    return clockOffset;
  }

  /// The latest reading of its clock so far.
  long latestWall() {
    return Math.max(latestWall, wall());
  }

  /// Reading of its clock.
  long wall() {
    return world.wall() + clockOffset;
  }

  /// Sets its clock forth or back, but never as far off as a record may be ahead of it before that
  /// counts as now (`TimeWarnings`): the ledger does not know when a record was decoded.
  void stepClock(long by) {
    long millis = Math.clamp(clockOffset + by, -MAX_OFFSET_MS, MAX_OFFSET_MS) - clockOffset;
    world.trace(() -> "the clock of " + name + " steps by " + millis + " ms");
    world.count("clock steps");
    ledger.observe(this);
    latestWall = latestWall();
    clockOffset += millis;
  }

  /// Corrects the clock.
  void setClock() {
    ledger.observe(this);
    latestWall = latestWall();
    clockOffset = 0;
  }

  EngineOptions options() {
    return new EngineOptions(
        plan.push() ? Set.of("shop", "mail") : null,
        SimulatedKafka.RETRIES,
        SimulatedKafka.DEAD_LETTERS,
        new EngineOptions.Limits(
            plan.maxPending(),
            50,
            50,
            MAX_ATTEMPTS,
            plan.storeLimit(),
            100_000_000,
            plan.maxPending() < 1_000 ? 24 : 10_000,
            20),
        new EngineOptions.Periods(GRACE, LEASE, 500, RESTART_GRACE, SETTLE, 10_000, TOMBSTONE),
        plan.shared());
  }

  /// Whether this store refuses the row on every attempt.
  boolean cannotHold(Row row) {
    return plan.has(Fault.STORE_REFUSES)
        && !row.activation().id().startsWith("undecodable")
        && Math.floorMod(
                row.activation().id().hashCode() + world.seed, plan.rarity(Fault.STORE_REFUSES))
            == 0;
  }

  @Nullable SimulatedProcess run() {
    return process;
  }

  void start() {
    if (process == null) {
      runs++;
      world.trace(() -> name + "/" + runs + " starts");
      try {
        process = new SimulatedProcess(this, runs, world, plan, workers);
      } catch (Crash _) {
        throw new AssertionError("A start cannot crash");
      }
    }
  }

  void crash(String why) {
    crash(why, world.between(10 * SimulatedWorld.MS, 10 * SimulatedWorld.SECOND));
  }

  /// @param down time until the restart, in nanoseconds
  void crash(String why, long down) {
    SimulatedProcess dying = process;
    if (dying != null) {
      world.count("crashes");
      world.trace(() -> dying + " crashes: " + why);
      dying.die();
      process = null;
      ledger.died(dying);
      world.after(down, "restart", this::start);
    }
  }

  /// Crashes the process; it restarts with an empty disk.
  void loseStore() {
    world.count("stores lost");
    crash("its store is lost");
    ledger.lost(this);
    if (disk instanceof SimulatedDisk.File(var file)) {
      file.wipe();
    }
  }

  /// Copies the store, or puts its copy back: the process crashes, and restarts with the old one.
  void copyOrRestoreStore() {
    if (!(disk instanceof SimulatedDisk.File(var file))) {
      return;
    }
    InMemoryStore.Disk copy = snapshot;
    if (copy == null) {
      world.trace(() -> "the store of " + name + " is copied");
      snapshot = file.copy();
      ledger.copied(this);
    } else {
      world.count("snapshots restored");
      world.set(Fault.SNAPSHOT_RESTORED, 0);
      crash("a snapshot of its store is put back");
      file.restore(copy);
      ledger.restored(this);
    }
  }

  /// Starts a second process on the same disk while this one runs.
  void startAnother() {
    process = null;
    memberName = memberName + "'";
    start();
  }

  /// A stage of the process failed, and the process ended.
  void failed(SimulatedProcess failed, String why) {
    world.count("processes that ended on a failure");
    if (process == failed) {
      crash(why);
    } else if (failed.isAlive()) {
      world.trace(() -> failed + " ends: " + why);
      failed.die();
      ledger.died(failed);
    }
  }

  /// Stops the process gracefully, and starts another one.
  void restart() {
    SimulatedProcess stopping = process;
    if (stopping != null) {
      world.count("graceful stops");
      world.trace(() -> stopping + " is stopped gracefully");
      stopping.stop(() -> {
        if (process == stopping) {
          ledger.workers.stopped(stopping);
          crash("it was stopped", world.between(10 * SimulatedWorld.MS, SimulatedWorld.SECOND));
        }
      });
    }
  }
}
