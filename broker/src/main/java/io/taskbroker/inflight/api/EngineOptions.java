package io.taskbroker.inflight.api;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Limits and periods of the engine. All periods are milliseconds.
///
/// @param pushApplications the applications with a worker to push to; null if workers pull
/// @param retryTopic topic of the retries
/// @param deadLetterTopic topic of the dead letters
/// @param limits limits on the tasks in memory
/// @param periods the periods
/// @param shared whether other brokers use the same store (ADR 7)
/// @param finishedRetention how long the records of all finished tasks are kept, milliseconds; 0
///   for those only that their clients asked for (ADR 38)
public record EngineOptions(
    @Nullable Set<String> pushApplications,
    String retryTopic,
    String deadLetterTopic,
    Limits limits,
    Periods periods,
    boolean shared,
    long finishedRetention) {

  public EngineOptions {
    pushApplications = pushApplications == null ? null : Set.copyOf(pushApplications);
  }

  /// Options of a broker that keeps no records but those that are asked for.
  public EngineOptions(
      @Nullable Set<String> pushApplications,
      String retryTopic,
      String deadLetterTopic,
      Limits limits,
      Periods periods,
      boolean shared) {
    this(pushApplications, retryTopic, deadLetterTopic, limits, periods, shared, 0);
  }

  /// Options of a broker with a store of its own.
  public EngineOptions(
      @Nullable Set<String> pushApplications,
      String retryTopic,
      String deadLetterTopic,
      Limits limits,
      Periods periods) {
    this(pushApplications, retryTopic, deadLetterTopic, limits, periods, false);
  }

  public boolean pushes() {
    return pushApplications != null;
  }

  /// Limits.
  ///
  /// @param maxPending runnable activations of one application in memory (H13); more are parked
  /// @param maxDelayed delayed activations in memory; more are parked (H15)
  /// @param maxHandedOut activations that workers of one application may have; at this number its
  ///   records wait
  /// @param maxAttempts missed processing deadlines after which an activation fails
  /// @param maxStoreBytes store size at which ingest stops; 0 for no limit
  /// @param maxMemoryBytes bytes of memory of the activations at which ingest stops or parks
  /// @param maxParked parked activations at which no more are parked: further ones wait in Kafka
  /// @param maxChanges changes that may wait for the store before requests are refused (H14)
  /// @param maxCalls push calls in flight to one application
  public record Limits(
      int maxPending,
      int maxDelayed,
      int maxHandedOut,
      int maxAttempts,
      long maxStoreBytes,
      long maxMemoryBytes,
      int maxParked,
      int maxChanges,
      int maxCalls) {
    /// Limits where only the size of the store limits the parked activations.
    public Limits(
        int maxPending,
        int maxDelayed,
        int maxHandedOut,
        int maxAttempts,
        long maxStoreBytes,
        long maxMemoryBytes,
        int maxChanges,
        int maxCalls) {
      this(
          maxPending,
          maxDelayed,
          maxHandedOut,
          maxAttempts,
          maxStoreBytes,
          maxMemoryBytes,
          Integer.MAX_VALUE,
          maxChanges,
          maxCalls);
    }
  }

  /// Periods.
  ///
  /// @param grace added to the processing deadline of each task
  /// @param lease how long a claim lasts before the activation is requeued (reference-spec 4.7)
  /// @param statusWriteInterval how long a worker must have an activation before its status is
  ///   written (H17)
  /// @param restartGrace how long after a start no deadline set before the start expires (H16)
  /// @param settle how long after a start reports of activations that may have been running can
  ///   arrive before those are delivered again
  /// @param parkHorizon a delay that ends later than this is parked
  /// @param tombstone how long the id of a finished retry is remembered (H8)
  public record Periods(
      long grace,
      long lease,
      long statusWriteInterval,
      long restartGrace,
      long settle,
      long parkHorizon,
      long tombstone) {}
}
