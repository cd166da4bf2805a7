package io.taskbroker.store;

import java.time.Duration;

/// How a [StoreCommitter] groups changes into transactions, and what it does in between.
///
/// @param batchSize changes and reads of a transaction, at most, but that no record is parted from
///   the watermark behind it
/// @param linger how long changes wait for company, inserts and reads apart; zero for natural
///   batching, which waits only while the transaction before is under way
/// @param backoffMin the wait after a first failure, about
/// @param backoffMax the longest wait after a failure
/// @param stopTimeout how long [StoreCommitter#stop] may go on committing
/// @param maintenanceInterval the least time between two calls of [ActivationStore#maintain]
public record CommitOptions(
    int batchSize,
    Duration linger,
    Duration backoffMin,
    Duration backoffMax,
    Duration stopTimeout,
    Duration maintenanceInterval) {

  public CommitOptions {
    if (batchSize < 1) {
      throw new IllegalArgumentException("A transaction of " + batchSize + " changes is none");
    }
    if (linger.isNegative() || maintenanceInterval.isNegative()) {
      throw new IllegalArgumentException(
          "Neither linger nor maintenance interval may be negative: "
              + linger
              + ", "
              + maintenanceInterval);
    }
  }

  /// Natural batching of up to 4,096 changes, and maintenance once a minute.
  public static CommitOptions defaults() {
    return new CommitOptions(
        4_096,
        Duration.ZERO,
        Duration.ofMillis(10),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5),
        Duration.ofMinutes(1));
  }

  /// The same with another least time between two calls of [ActivationStore#maintain].
  public CommitOptions maintainedEvery(Duration interval) {
    return new CommitOptions(batchSize, linger, backoffMin, backoffMax, stopTimeout, interval);
  }

  /// The same, with changes other than inserts waiting for company: up to `batchSize` of them, for
  /// `linger` at most.
  public CommitOptions lingering(int batchSize, Duration linger) {
    return new CommitOptions(
        batchSize, linger, backoffMin, backoffMax, stopTimeout, maintenanceInterval);
  }
}
