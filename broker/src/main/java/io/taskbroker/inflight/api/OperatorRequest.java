package io.taskbroker.inflight.api;

import java.util.List;
import java.util.function.Consumer;

/// Request of an operator. Replies are called by the engine's thread and must not block.
public sealed interface OperatorRequest {
  /// Most tasks of one request.
  int MAX_TASKS = 1_000;

  /// Asks for the figures of up to `limit` applications.
  record Applications(int limit, Consumer<List<ApplicationStats>> reply)
      implements OperatorRequest {}

  /// Asks for up to `limit` workers with streams.
  record Workers(int limit, Consumer<List<WorkerStats>> reply) implements OperatorRequest {}

  /// Asks for what the engine knows of tasks; unknown ones are left out.
  ///
  /// @param ids at most [#MAX_TASKS]
  record Inspect(List<String> ids, Consumer<List<TaskSnapshot>> reply) implements OperatorRequest {
    public Inspect {
      ids = bounded(ids);
    }
  }

  /// Acts on tasks. Answered when everything that was decided is durable.
  ///
  /// @param targets at most [#MAX_TASKS]
  /// @param dryRun only tells what would be done
  /// @param until with [Act.Kind#DELAY]: the new end of the delay, milliseconds since the epoch
  /// @param priority with [Act.Kind#PRIORITY]: the new one
  record Act(
      Kind kind,
      List<Target> targets,
      boolean dryRun,
      long until,
      int priority,
      Consumer<List<Outcome>> reply)
      implements OperatorRequest {
    public Act {
      targets = bounded(targets);
    }

    /// Kind of act on a task.
    public enum Kind {
      /// Ends its delay.
      RUN_NOW,
      /// Sets the end of its delay.
      DELAY,
      /// Sets its priority.
      PRIORITY,
      /// Deletes it, unless a worker has it.
      CANCEL,
      /// Deletes it, even if a worker has it or Kafka refused it.
      DISCARD,
      /// Delivers it again without waiting for its worker, or produces again what Kafka refused.
      RETRY
    }
  }

  /// Applies other pauses.
  ///
  /// @param done called when they hold
  record ChangePauses(Pauses pauses, Runnable done) implements OperatorRequest {}

  /// Task to act on.
  ///
  /// @param key of its row: another task of the same id is not meant
  record Target(String id, long key) {}

  /// Outcome of an act on a task.
  ///
  /// @param done whether it was done, or would be
  /// @param detail the state before, or why it was not done and what can be
  record Outcome(String id, boolean done, String detail) {}

  private static <T> List<T> bounded(List<T> given) {
    if (given.size() > MAX_TASKS) {
      throw new IllegalArgumentException("More than " + MAX_TASKS + " tasks in one request");
    }
    return List.copyOf(given);
  }
}
