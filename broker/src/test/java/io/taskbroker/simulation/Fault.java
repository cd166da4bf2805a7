package io.taskbroker.simulation;

/// Kind of fault. A world has it or not; if so, it happens once in a given number of opportunities.
enum Fault {
  CRASH(2, 4, 30),
  CRASH_AT_COMMIT(3, 20, 200),
  RESTART_IN_ORDER(4, 5, 30),
  FREEZE(4, 5, 30),
  CLOCK_STEP(4, 5, 30),
  STORE_FAILS(3, 4, 60),
  STORE_LOSES_REPLY(3, 4, 60),
  STORE_GHOST(4, 4, 60),
  STORE_REFUSES(6, 30, 100),
  STORE_IS_FULL(6, 10, 60),
  STORE_STALLS(4, 10, 100),
  PRODUCE_FAILS(3, 2, 20),
  PRODUCE_LOSES_REPLY(3, 2, 20),
  PRODUCE_REFUSED(6, 4, 30),
  COMMIT_FAILS(3, 3, 30),
  NETWORK_LOSES(3, 5, 60),
  WORKER_BUSY(3, 2, 20),
  WORKER_DOWN(3, 5, 30),
  WORKER_REFUSES(6, 5, 30),
  WORKER_SLOW(3, 3, 30),
  WORKER_DIES(3, 4, 40),
  WORKER_FAILS(2, 3, 20),
  WORKER_RETRIES(2, 3, 20),
  WORKER_REPEATS(3, 4, 30),
  WORKER_LIES(4, 4, 30),
  POISON(5, 5, 40),
  SAME_ID_AGAIN(6, 8, 40),
  RULES_CHANGE(4, 4, 20),
  OFFSET_RESET(6, 5, 30),
  TOPIC_MADE_ANEW(6, 2, 6),
  PARTITION_ADDED(6, 8, 30),
  STORE_LOST(4, 8, 40, true),
  LOG_CUT(4, 4, 20, true),
  VOLUME_RESTORED(8, 3, 12, true),
  SNAPSHOT_RESTORED(5, 3, 15, true),
  FAILOVER(3, 2, 8, true),
  STREAM_BREAKS(2, 4, 30, true),
  STREAM_SILENT(2, 5, 40, true),
  TASK_RELEASED(3, 4, 30, true),
  SLOTS_CHANGE(3, 4, 20, true),
  WORKER_STOPS(3, 8, 40, true),
  ENQUEUED_AGAIN(2, 2, 10, true),
  TASK_CANCELLED(2, 4, 20, true),
  SCHEDULE_CHANGED(2, 3, 10, true),
  SCHEDULE_PAUSED(2, 3, 10, true),
  SCHEDULE_DELETED(3, 6, 20, true),
  SCHEDULE_RUN(2, 2, 8, true),
  SLOT_LOCKED(3, 2, 20, true);

  /// It occurs in one of this many worlds.
  final int worlds;

  /// Lower bound of its rarity: at most once in this many opportunities.
  final int least;

  /// Upper bound of its rarity: at least once in this many opportunities.
  final int most;

  /// Whether only wide worlds have it, so that narrow worlds keep their histories.
  final boolean wide;

  Fault(int worlds, int least, int most) {
    this(worlds, least, most, false);
  }

  Fault(int worlds, int least, int most, boolean wide) {
    this.worlds = worlds;
    this.least = least;
    this.most = most;
    this.wide = wide;
  }
}
