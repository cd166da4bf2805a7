package io.taskbroker.inflight.api;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.TaskHistory;

/// Receiver of the engine's events, for metrics and the log. Called by the engine's thread; no
/// method blocks or calls the engine back before the engine returns.
public interface EventPort {
  /// An event of an activation.
  ///
  /// @param age milliseconds since the activation was published, or since its delay ended; of
  ///   `COMPLETED` since its last delivery began, or -1 if that was before a restart
  /// @param detail may be empty
  void event(EngineEvent event, Activation about, long age, String detail);

  /// An event of an application, or of an id of which the engine knows no more.
  ///
  /// @param detail may be empty
  void event(EngineEvent event, String id, String detail);

  /// Outcome that a change must not have: an error of the broker, or of a program that changed the
  /// database.
  void unexpected(Change change, ChangeOutcome outcome);

  /// Whether activations are followed, which never changes. If not, [#follow] is not called, and
  /// following costs nothing.
  default boolean follows() {
    return false;
  }

  /// Whether tasks are traced, which never changes. If not, [#span] is not called, and tracing
  /// costs nothing.
  default boolean traces() {
    return false;
  }

  /// A step of a task has ended.
  default void span(TaskSpan span) {}

  /// A step in the life of an activation.
  ///
  /// @param detail may be empty
  default void follow(TaskLifecycle step, Activation activation, String detail) {}

  /// Whether the steps of all tasks are audited, which never changes. If not, [#step] is not
  /// called, and auditing costs nothing.
  default boolean audits() {
    return false;
  }

  /// A step of a task, as its history has it.
  ///
  /// @param at milliseconds since the epoch
  /// @param detail may be empty
  default void step(TaskHistory.Step step, Activation about, long at, String detail) {}
}
