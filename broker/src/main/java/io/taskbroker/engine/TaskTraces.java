package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.inflight.api.TaskSpan;
import org.jspecify.annotations.Nullable;

/// Traces of tasks. Called by the engine's thread; must not wait.
public interface TaskTraces {
  /// A step of a task has ended.
  void ended(TaskSpan step);

  /// Id of the trace of a task, 32 hexadecimal digits; null if it is not sampled.
  @Nullable String sampledTrace(Activation activation);
}
