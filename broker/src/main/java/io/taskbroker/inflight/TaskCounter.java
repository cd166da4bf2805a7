package io.taskbroker.inflight;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineStats;

/// Counters of one task name of one application, in activations: in flight now, and outcomes since
/// the start. Owned by the engine; other threads get [#snapshot]s.
final class TaskCounter {
  private final String application;
  private final String taskname;
  private final String namespace;
  private int pending;
  private int delayed;
  private int claimed;
  private int processing;
  private long completed;
  private long failed;
  private long retried;
  private long deadLettered;

  /// @param namespace of the first task; empty for all others together
  TaskCounter(String application, String taskname, String namespace) {
    this.application = application;
    this.taskname = taskname;
    this.namespace = namespace;
  }

  /// Adds `by` to the gauge of a status.
  void count(Status status, int by) {
    switch (status) {
      case PENDING -> pending += by;
      case DELAY -> delayed += by;
      case CLAIMED -> claimed += by;
      case PROCESSING -> processing += by;
      case FAILURE, RETRY, COMPLETE -> {}
    }
  }

  /// Counts one outcome.
  void count(EngineEvent event) {
    switch (event) {
      case COMPLETED -> completed++;
      case DISCARDED, DEAD_LETTERED -> failed++;
      case RETRY_PRODUCED -> retried++;
      case DEAD_LETTER_PRODUCED -> deadLettered++;
      default -> {}
    }
  }

  EngineStats.Task snapshot() {
    return new EngineStats.Task(
        application,
        taskname,
        namespace,
        pending,
        delayed,
        claimed,
        processing,
        completed,
        failed,
        retried,
        deadLettered);
  }
}
