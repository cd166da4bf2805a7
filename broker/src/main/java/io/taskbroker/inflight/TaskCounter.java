package io.taskbroker.inflight;

import io.taskbroker.activation.Status;

/// What is in flight of one task of one application, and what became of it so far, in activations.
/// Owned by the engine; others get [#snapshot]s.
final class TaskCounter {
  private final String application;
  private final String taskname;
  private int pending;
  private int delayed;
  private int claimed;
  private int processing;
  private long completed;
  private long failed;
  private long retried;
  private long deadLettered;

  TaskCounter(String application, String taskname) {
    this.application = application;
    this.taskname = taskname;
  }

  /// An entry came into a status, or left it.
  void count(Status status, int by) {
    switch (status) {
      case PENDING -> pending += by;
      case DELAY -> delayed += by;
      case CLAIMED -> claimed += by;
      case PROCESSING -> processing += by;
      case FAILURE, RETRY, COMPLETE -> {}
    }
  }

  /// Something became of an activation.
  void count(Tally tally) {
    switch (tally) {
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
