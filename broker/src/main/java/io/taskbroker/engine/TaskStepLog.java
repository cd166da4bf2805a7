package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.TaskHistory.Step;
import io.taskbroker.telemetry.TaskStepSink;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Writer of the chosen steps of tasks to the audit stream. Confined to the engine's thread.
public final class TaskStepLog {
  private final List<TaskStepSink> sinks;
  private final Set<Step> chosen;

  /// @param chosen steps that are written
  public TaskStepLog(List<TaskStepSink> sinks, Collection<Step> chosen) {
    this.sinks = List.copyOf(sinks);
    this.chosen = EnumSet.noneOf(Step.class);
    this.chosen.addAll(chosen);
  }

  void step(Step step, Activation about, long at, String detail) {
    if (chosen.contains(step)) {
      var subject =
          new TaskStepSink.Subject(
              about.id(),
              about.application(),
              about.namespace(),
              about.taskname(),
              about.origin().topic(),
              about.origin().partition(),
              about.origin().offset());
      String name = step.name().toLowerCase(Locale.ROOT);
      for (TaskStepSink sink : sinks) {
        sink.step(name, at, subject, detail);
      }
    }
  }
}
