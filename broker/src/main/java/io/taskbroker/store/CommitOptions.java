package io.taskbroker.store;

import java.time.Duration;

/// How a [StoreCommitter] groups changes into transactions, and what it does in between.
///
/// @param batchSize changes and reads of a transaction, at most, but that no record is parted from
///   the watermark behind it
/// @param interval the least time from the begin of a transaction to that of the next, if that has
///   neither inserts nor reads nor is full; zero for natural batching, which waits only while the
///   transaction before is under way
/// @param backoffMin the wait after a first failure, about
/// @param backoffMax the longest wait after a failure
/// @param stopTimeout how long [StoreCommitter#stop] may go on committing
/// @param maintenanceInterval the least time between two calls of [ActivationStore#maintain]
public record CommitOptions(
    int batchSize,
    Duration interval,
    Duration backoffMin,
    Duration backoffMax,
    Duration stopTimeout,
    Duration maintenanceInterval) {

  public CommitOptions {
    if (batchSize < 1) {
      throw new IllegalArgumentException("A transaction of " + batchSize + " changes is none");
    }
    if (interval.isNegative() || maintenanceInterval.isNegative()) {
      throw new IllegalArgumentException(
          "Neither interval nor maintenance interval may be negative: "
              + interval
              + ", "
              + maintenanceInterval);
    }
  }

  /// Up to 4,096 changes, 3 ms apart unless a row is to be inserted, and maintenance once a minute.
  /// At a low rate a report thus shares a transaction with the next insert, which halves the number
  /// of fsyncs; a report that comes after 3 ms of quiet is committed at once.
  public static CommitOptions defaults() {
    return new CommitOptions(
        4_096,
        Duration.ofMillis(3),
        Duration.ofMillis(10),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5),
        Duration.ofMinutes(1));
  }

  /// The same with another least time between two calls of [ActivationStore#maintain].
  public CommitOptions maintainedEvery(Duration least) {
    return new CommitOptions(batchSize, interval, backoffMin, backoffMax, stopTimeout, least);
  }

  /// The same with other groups of changes: up to `batchSize` of them, `interval` apart.
  public CommitOptions grouped(int batchSize, Duration interval) {
    return new CommitOptions(
        batchSize, interval, backoffMin, backoffMax, stopTimeout, maintenanceInterval);
  }
}
