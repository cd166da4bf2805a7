package io.taskbroker.inflight.api;

import io.taskbroker.activation.Activation;
import org.jspecify.annotations.Nullable;

/// Question of a client about a task, or its request to cancel it. Replies are called by the
/// engine's thread and must not block.
public sealed interface TaskQuery {
  String id();

  Reply reply();

  /// Asks for the present state of the task.
  record Find(String id, Reply reply) implements TaskQuery {}

  /// Cancels the task: one that no worker has ends, and is answered when that is durable.
  record Cancel(String id, Reply reply) implements TaskQuery {}

  /// Asks for the task when it has ended, or at [Command.AskNoMore].
  record Await(String id, Reply reply) implements TaskQuery {}

  /// Answer to a query.
  interface Reply {
    /// @param view null if there is no task of that id, nor is it remembered
    void done(@Nullable View view);

    void unavailable(String why);

    /// Whether nobody waits for the answer any more.
    default boolean isGone() {
      return false;
    }
  }

  /// State of a task in the engine.
  ///
  /// @param phase where it is
  /// @param why why it does not run now; null once it has ended
  /// @param activation null if it is parked or has ended
  /// @param token of the worker that has it; null if none has
  /// @param progress that its worker reported last; may be empty
  /// @param message why it failed, if that is kept; may be empty
  /// @param result if it is kept; may be empty
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record View(
      Phase phase,
      @Nullable WaitingReason why,
      @Nullable Activation activation,
      @Nullable AttemptToken token,
      String progress,
      TaskEnd end,
      String message,
      byte[] result) {
    private static final byte[] NONE = {};

    /// View of a task that has not ended.
    public View(
        Phase phase,
        WaitingReason why,
        @Nullable Activation activation,
        @Nullable AttemptToken token,
        String progress) {
      this(phase, why, activation, token, progress, TaskEnd.UNKNOWN, "", NONE);
    }

    /// View of a task of whose end no more is kept.
    public static View ended(TaskEnd end) {
      return ended(end, "", null);
    }

    /// View of a task that has ended.
    ///
    /// @param result null if there is none
    public static View ended(TaskEnd end, String message, byte @Nullable [] result) {
      byte[] kept = result == null ? NONE : result;
      return new View(Phase.ENDED, null, null, null, "", end, message, kept);
    }
  }

  /// Phase of a task.
  enum Phase {
    PENDING,
    DELAYED,
    PARKED,
    RUNNING,
    FORWARDING,
    ENDED
  }
}
