package io.taskbroker.simulation;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/// Parameters of one seed: the size of the world and its faults. Each kind of fault happens in some
/// worlds only, so that none hides another.
///
/// @param publishSeconds how long tasks are published and faults happen
/// @param batchSize maximum number of changes per transaction
/// @param intervalMillis minimum time between transactions without inserts
/// @param raw whether there is a raw topic
/// @param shared whether the brokers share a store
/// @param faults rarity of the faults that happen: once in this many opportunities
/// @param direct whether clients enqueue directly, and workers open streams
/// @param schedules whether brokers keep schedules, too
record SeedPlan(
    int brokers,
    boolean push,
    int tasks,
    int publishSeconds,
    int batchSize,
    int intervalMillis,
    boolean latest,
    int maxPending,
    long storeLimit,
    boolean raw,
    boolean shared,
    Map<Fault, Integer> faults,
    boolean direct,
    boolean schedules) {

  /// A batch size so large that only the engine's bounds matter.
  static final int LARGE_BATCH = 4_096;

  private static final Set<Fault> DISTURBING =
      EnumSet.of(
          Fault.FREEZE,
          Fault.CLOCK_STEP,
          Fault.STORE_FAILS,
          Fault.STORE_LOSES_REPLY,
          Fault.STORE_GHOST,
          Fault.STORE_IS_FULL,
          Fault.STORE_STALLS);

  /// A world with one push broker and no random faults.
  static SeedPlan calm() {
    return new SeedPlan(
        1, true, 0, 30, LARGE_BATCH, 0, false, 1_000, 0, false, false, Map.of(), false, false);
  }

  /// Faults added later to the simulation are drawn last, or from numbers of their own, so that
  /// earlier worlds never change.
  ///
  /// @param seed what determines it; from [FreshSeeds#LEAST] on all faults may happen
  static SeedPlan of(SplittableRandom random, long seed) {
    int brokers = random.nextInt(4) == 0 ? 2 : 1;
    boolean push = random.nextInt(3) > 0;
    int tasks = 10 + random.nextInt(70);
    int seconds = 5 + random.nextInt(25);
    int batch = random.nextInt(3) == 0 ? 1 + random.nextInt(8) : LARGE_BATCH;
    int interval = random.nextInt(4) == 0 ? 1 + random.nextInt(100) : 0;
    boolean latest = random.nextInt(4) == 0;
    int pending = random.nextInt(3) == 0 ? 3 + random.nextInt(10) : 1_000;
    long limit = random.nextInt(6) == 0 ? 3_000 + random.nextInt(10_000) : 0;
    Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
    draw(random, false, faults);
    boolean raw = random.nextInt(4) == 0;
    var plan =
        new SeedPlan(
            brokers, push, tasks, seconds, batch, interval, latest, pending, limit, raw, false,
            faults, false, false);
    if (seed >= FreshSeeds.SCHEDULED) {
      return plan.widened(random)
          .withDirect(new SplittableRandom(seed ^ (1L << 43)))
          .withSchedules(new SplittableRandom(seed ^ (1L << 44)));
    }
    if (seed >= FreshSeeds.DIRECT) {
      return plan.widened(random).withDirect(new SplittableRandom(seed ^ (1L << 43)));
    }
    return seed >= FreshSeeds.LEAST
        ? plan.widened(random)
            .cutting(new SplittableRandom(~seed))
            .restoring(Fault.VOLUME_RESTORED, new SplittableRandom(seed ^ (1L << 40)))
            .restoring(Fault.SNAPSHOT_RESTORED, new SplittableRandom(seed ^ (1L << 41)))
            .failingOver(new SplittableRandom(seed ^ (1L << 42)))
        : plan;
  }

  private static void draw(SplittableRandom random, boolean wide, Map<Fault, Integer> faults) {
    for (Fault fault : Fault.values()) {
      if (fault.wide == wide && fault.compareTo(Fault.LOG_CUT) < 0) {
        int rarity = fault.least + random.nextInt(fault.most - fault.least + 1);
        if (random.nextInt(fault.worlds) == 0) {
          faults.put(fault, rarity);
        }
      }
    }
  }

  private SeedPlan widened(SplittableRandom random) {
    Map<Fault, Integer> more = new EnumMap<>(Fault.class);
    draw(random, true, more);
    boolean share = random.nextInt(4) == 0;
    int count = share ? 2 + random.nextInt(2) : brokers;
    if (count > 1) {
      more.remove(
          Fault.STORE_LOST); // tasks that are moved while they are read again are lost (ADR 6)
    }
    more.putAll(faults);
    boolean lost = more.containsKey(Fault.STORE_LOST);
    if (lost) {
      // Only the committed offset records what the store had.
      more.remove(Fault.OFFSET_RESET);
      more.remove(Fault.TOPIC_MADE_ANEW);
    }
    return new SeedPlan(
        count,
        push,
        tasks,
        publishSeconds,
        batchSize,
        intervalMillis,
        latest && !lost,
        maxPending,
        share ? 0 : storeLimit,
        raw,
        share,
        more,
        direct,
        schedules);
  }

  /// Clients enqueue directly, and workers open streams. What is enqueued is in the store only: it
  /// cannot survive its loss.
  private SeedPlan withDirect(SplittableRandom random) {
    Map<Fault, Integer> more = new EnumMap<>(Fault.class);
    more.putAll(faults);
    more.remove(Fault.STORE_LOST);
    draw(random, Fault.STREAM_BREAKS, Fault.TASK_CANCELLED, more);
    return with(more, true);
  }

  /// Brokers keep schedules, in half of the worlds in a store that they share.
  private SeedPlan withSchedules(SplittableRandom random) {
    Map<Fault, Integer> more = new EnumMap<>(Fault.class);
    more.putAll(faults);
    draw(random, Fault.SCHEDULE_CHANGED, Fault.SLOT_LOCKED, more);
    boolean share = shared || random.nextBoolean();
    return new SeedPlan(
        share ? 2 + random.nextInt(2) : brokers,
        push,
        tasks / 3,
        publishSeconds,
        batchSize,
        intervalMillis,
        latest,
        maxPending,
        share ? 0 : storeLimit,
        raw,
        share,
        more,
        direct,
        true);
  }

  private static void draw(
      SplittableRandom random, Fault first, Fault last, Map<Fault, Integer> faults) {
    for (Fault fault : EnumSet.range(first, last)) {
      int rarity = fault.least + random.nextInt(fault.most - fault.least + 1);
      if (random.nextInt(fault.worlds) == 0) {
        faults.put(fault, rarity);
      }
    }
  }

  /// Whether logs are cut is told by offsets and watermarks: nothing else may move them.
  private SeedPlan cutting(SplittableRandom random) {
    Fault cut = Fault.LOG_CUT;
    boolean happens = random.nextInt(cut.worlds) == 0;
    if (!happens || has(Fault.STORE_LOST)) {
      return this;
    }
    SeedPlan plan = with(cut, cut.least + random.nextInt(cut.most - cut.least + 1));
    plan.faults.remove(Fault.OFFSET_RESET);
    plan.faults.remove(Fault.TOPIC_MADE_ANEW);
    return plan.withEarliest();
  }

  /// Log and store keep marks of each other, so that each goes back in worlds of its own.
  private SeedPlan restoring(Fault restored, SplittableRandom random) {
    boolean happens = random.nextInt(restored.worlds) == 0;
    if (!happens || brokers > 1 || hasNotes()) {
      return this;
    }
    SeedPlan plan =
        with(restored, restored.least + random.nextInt(restored.most - restored.least + 1));
    plan.faults.remove(Fault.OFFSET_RESET);
    plan.faults.remove(Fault.TOPIC_MADE_ANEW);
    plan.faults.remove(Fault.PARTITION_ADDED);
    if (restored == Fault.SNAPSHOT_RESTORED) {
      plan.faults.remove(Fault.CLOCK_STEP); // a delay that had ended counts as not ended
    }
    return plan.withEarliest();
  }

  /// A standby without the last transactions takes over. Replies that get lost are left out:
  /// whether such a transaction is on the standby is told by its number only.
  private SeedPlan failingOver(SplittableRandom random) {
    Fault failover = Fault.FAILOVER;
    boolean happens = random.nextInt(failover.worlds) == 0;
    if (!happens || !shared || hasNotes()) {
      return this;
    }
    SeedPlan plan =
        with(failover, failover.least + random.nextInt(failover.most - failover.least + 1));
    plan.faults.remove(Fault.STORE_LOSES_REPLY);
    plan.faults.remove(Fault.STORE_GHOST);
    plan.faults.remove(Fault.PARTITION_ADDED);
    plan.faults.remove(Fault.TOPIC_MADE_ANEW);
    plan.faults.remove(Fault.OFFSET_RESET);
    plan.faults.remove(Fault.CLOCK_STEP); // as for a snapshot
    return plan.withEarliest();
  }

  /// Whether logs lose records, so that each record has an epoch and a timestamp.
  boolean cutsLogs() {
    return has(Fault.LOG_CUT) || has(Fault.VOLUME_RESTORED);
  }

  /// Once in how many opportunities it happens; 0 for never.
  int rarity(Fault fault) {
    return faults.getOrDefault(fault, 0);
  }

  /// Whether stores, or the processes and clocks that use them, may keep a broker from its work.
  boolean disturbsStores() {
    return maxPending < 1_000
        || storeLimit > 0
        || DISTURBING.stream().anyMatch(this::has);
  }

  /// Whether brokers find the metadata of the offsets that they committed.
  boolean hasNotes() {
    return has(Fault.STORE_LOST)
        || has(Fault.SNAPSHOT_RESTORED)
        || has(Fault.FAILOVER)
        || cutsLogs();
  }

  boolean has(Fault fault) {
    return faults.containsKey(fault);
  }

  SeedPlan with(Fault fault, int rarity) {
    Map<Fault, Integer> more = new EnumMap<>(Fault.class);
    more.putAll(faults);
    more.put(fault, rarity);
    return with(more, direct);
  }

  private SeedPlan with(Map<Fault, Integer> others, boolean withDirect) {
    return new SeedPlan(
        brokers,
        push,
        tasks,
        publishSeconds,
        batchSize,
        intervalMillis,
        latest,
        maxPending,
        storeLimit,
        raw,
        shared,
        others,
        withDirect,
        schedules);
  }

  SeedPlan withBrokers(int count) {
    return new SeedPlan(
        count,
        push,
        tasks,
        publishSeconds,
        batchSize,
        intervalMillis,
        latest,
        maxPending,
        storeLimit,
        raw,
        shared,
        faults,
        direct,
        schedules);
  }

  SeedPlan withSeconds(int seconds) {
    return new SeedPlan(
        brokers,
        push,
        tasks,
        seconds,
        batchSize,
        intervalMillis,
        latest,
        maxPending,
        storeLimit,
        raw,
        shared,
        faults,
        direct,
        schedules);
  }

  SeedPlan withLatest() {
    return startingAt(true);
  }

  private SeedPlan withEarliest() {
    return startingAt(false);
  }

  private SeedPlan startingAt(boolean end) {
    return new SeedPlan(
        brokers,
        push,
        tasks,
        publishSeconds,
        batchSize,
        intervalMillis,
        end,
        maxPending,
        storeLimit,
        raw,
        shared,
        faults,
        direct,
        schedules);
  }

  SeedPlan withLimits(int pending, long store) {
    return new SeedPlan(
        brokers,
        push,
        tasks,
        publishSeconds,
        batchSize,
        intervalMillis,
        latest,
        pending,
        store,
        raw,
        shared,
        faults,
        direct,
        schedules);
  }
}
