package io.taskbroker.store;

import java.time.Duration;

/// Batching and maintenance options of a [StoreCommitter].
///
/// @param batchSize most changes and reads in a transaction, except that a record is never
///   separated from the watermark behind it
/// @param interval minimum time between the starts of two transactions, if the second has no
///   inserts and no reads and is not full; zero for natural batching, which waits only for the
///   pending transaction
/// @param backoffMin wait after a first failure, before jitter
/// @param backoffMax longest wait after a failure
/// @param stopTimeout how long [StoreCommitter#stop] may go on committing
/// @param maintenanceInterval minimum time between two calls of [ActivationStore#maintain]
public record CommitOptions(
    int batchSize,
    Duration interval,
    Duration backoffMin,
    Duration backoffMax,
    Duration stopTimeout,
    Duration maintenanceInterval) {

  public CommitOptions {
    if (batchSize < 1) {
      throw new IllegalArgumentException("batchSize must be at least 1: " + batchSize);
    }
    if (interval.isNegative() || maintenanceInterval.isNegative()) {
      throw new IllegalArgumentException(
          "interval and maintenanceInterval must not be negative: "
              + interval
              + ", "
              + maintenanceInterval);
    }
  }

  /// Up to 4,096 changes, 3 ms apart unless a row is inserted, and maintenance once a minute. At a
  /// low rate a report thus shares a transaction with the next insert, which halves the number of
  /// fsyncs; a report after 3 ms of quiet commits at once.
  public static CommitOptions defaults() {
    return new CommitOptions(
        4_096,
        Duration.ofMillis(3),
        Duration.ofMillis(10),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5),
        Duration.ofMinutes(1));
  }

  /// The same with another `maintenanceInterval`.
  public CommitOptions maintainedEvery(Duration maintenanceInterval) {
    return new CommitOptions(
        batchSize, interval, backoffMin, backoffMax, stopTimeout, maintenanceInterval);
  }

  /// The same with another `batchSize` and `interval`.
  public CommitOptions grouped(int batchSize, Duration interval) {
    return new CommitOptions(
        batchSize, interval, backoffMin, backoffMax, stopTimeout, maintenanceInterval);
  }
}
