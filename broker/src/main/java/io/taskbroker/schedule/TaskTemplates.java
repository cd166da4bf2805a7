package io.taskbroker.schedule;

import io.taskbroker.activation.Activation;
import io.taskbroker.protocol.v1.Task;

/// Maker of tasks from the template of a schedule, as if a client enqueued them. Stateless.
public interface TaskTemplates {
  /// Checks a template.
  ///
  /// @throws IllegalArgumentException if it is invalid; the message says why
  void check(Task template);

  /// The task of a slot, with the header `taskbroker-slot`.
  ///
  /// @param template a template that passed [#check]
  /// @param slot RFC 3339 time
  /// @param now milliseconds since the epoch
  Activation task(Task template, String id, String slot, long now);
}
