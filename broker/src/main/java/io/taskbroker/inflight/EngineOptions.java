package io.taskbroker.inflight;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The bounds and periods of the engine. All periods are milliseconds.
///
/// @param pushApplications the applications that have a worker to push to; null if workers pull
/// @param retryTopic where retries go
/// @param deadLetterTopic where dead letters go
/// @param limits the bounds on what is in memory
/// @param periods the periods
/// @param shared whether other brokers work on the same store (ADR 7)
public record EngineOptions(
    @Nullable Set<String> pushApplications,
    String retryTopic,
    String deadLetterTopic,
    Limits limits,
    Periods periods,
    boolean shared) {

  public EngineOptions {
    pushApplications = pushApplications == null ? null : Set.copyOf(pushApplications);
  }

  /// The options of a broker that has a store of its own.
  public EngineOptions(
      @Nullable Set<String> pushApplications,
      String retryTopic,
      String deadLetterTopic,
      Limits limits,
      Periods periods) {
    this(pushApplications, retryTopic, deadLetterTopic, limits, periods, false);
  }

  boolean pushes() {
    return pushApplications != null;
  }

  /// The bounds.
  ///
  /// @param maxPending runnable activations of one application in memory (H13); more are parked
  /// @param maxDelayed delayed activations in memory; more are parked (H15)
  /// @param maxHandedOut activations that workers of one application have before intake for it
  ///   stops
  /// @param maxAttempts processing deadlines that one activation may let pass
  /// @param maxStoreBytes size of the store at which intake stops; 0 for none
  /// @param maxMemoryBytes bytes of memory that activations take, at which intake stops or parks
  /// @param maxParked activations that are on disk only at which no more are parked: what would be
  ///   waits in Kafka
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
    /// The bounds where only the size of the store bounds what is parked.
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

  /// The periods.
  ///
  /// @param grace what a processing deadline is longer than the task says
  /// @param lease how long a claim lasts before the activation is free again (reference-spec 4.7)
  /// @param markInterval how long a worker must have an activation before that is written down
  ///   (H17)
  /// @param restartGrace how long after a start no deadline that was set before it passes (H16)
  /// @param settle how long after a start reports of what may have been running have to come in,
  ///   before it is handed out again
  /// @param parkHorizon a delay that ends later than this is parked
  /// @param tombstone how long the id of a finished retry is remembered (H8)
  public record Periods(
      long grace,
      long lease,
      long markInterval,
      long restartGrace,
      long settle,
      long parkHorizon,
      long tombstone) {}
}
