package io.taskbroker.simulation;

import java.util.SplittableRandom;

/// What one seed is about: how large the world is and which faults happen in it. Each kind of fault
/// happens in some worlds only, so that none hides another.
///
/// Fields of faults say how rare they are: once in so many times, 0 for never.
///
/// @param publishSeconds for how long tasks are published, and faults happen
/// @param batchSize changes of a transaction at most
/// @param lingerMillis how long changes wait for company
record Plan(
    int brokers,
    boolean push,
    int tasks,
    int publishSeconds,
    int batchSize,
    int lingerMillis,
    boolean latest,
    int maxPending,
    long storeLimit,
    int crash,
    int crashAtCommit,
    int restartInOrder,
    int freeze,
    int clockStep,
    int storeFails,
    int storeLosesReply,
    int storeRefuses,
    int storeIsFull,
    int storeStalls,
    int produceFails,
    int produceLosesReply,
    int produceRefused,
    int commitFails,
    int networkLoses,
    int workerBusy,
    int workerDown,
    int workerRefuses,
    int workerSlow,
    int workerDies,
    int workerFails,
    int workerRetries,
    int workerRepeats,
    int workerLies,
    int poison,
    int sameIdAgain) {

  static Plan of(SplittableRandom random) {
    return new Plan(
        random.nextInt(4) == 0 ? 2 : 1,
        random.nextInt(3) > 0,
        10 + random.nextInt(70),
        5 + random.nextInt(25),
        random.nextInt(3) == 0 ? 1 + random.nextInt(8) : 4_096,
        random.nextInt(4) == 0 ? 1 + random.nextInt(100) : 0,
        random.nextInt(4) == 0,
        random.nextInt(3) == 0 ? 3 + random.nextInt(10) : 1_000,
        random.nextInt(6) == 0 ? 3_000 + random.nextInt(10_000) : 0,
        some(random, 2, 4, 30),
        some(random, 3, 20, 200),
        some(random, 4, 5, 30),
        some(random, 4, 5, 30),
        some(random, 4, 5, 30),
        some(random, 3, 4, 60),
        some(random, 3, 4, 60),
        some(random, 6, 30, 100),
        some(random, 6, 10, 60),
        some(random, 4, 10, 100),
        some(random, 3, 2, 20),
        some(random, 3, 2, 20),
        some(random, 6, 4, 30),
        some(random, 3, 3, 30),
        some(random, 3, 5, 60),
        some(random, 3, 2, 20),
        some(random, 3, 5, 30),
        some(random, 6, 5, 30),
        some(random, 3, 3, 30),
        some(random, 3, 4, 40),
        some(random, 2, 3, 20),
        some(random, 2, 3, 20),
        some(random, 3, 4, 30),
        some(random, 4, 4, 30),
        some(random, 5, 5, 40),
        some(random, 6, 8, 40));
  }

  /// In one of `worlds` worlds a number between the two, 0 in all others.
  private static int some(SplittableRandom random, int worlds, int least, int most) {
    int rarity = least + random.nextInt(most - least + 1);
    return random.nextInt(worlds) == 0 ? rarity : 0;
  }
}
