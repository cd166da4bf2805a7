package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.TaskHistory.Step;
import io.taskbroker.telemetry.TaskStepFile;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/// Writer of the chosen steps of tasks to the audit stream. Confined to the engine's thread.
public final class TaskStepLog {
  private final TaskStepFile file;
  private final Set<Step> chosen;

  /// @param chosen steps that have lines
  public TaskStepLog(TaskStepFile file, Collection<Step> chosen) {
    this.file = file;
    this.chosen = EnumSet.noneOf(Step.class);
    this.chosen.addAll(chosen);
  }

  void step(Step step, Activation about, long at, String detail) {
    if (chosen.contains(step)) {
      var subject =
          new TaskStepFile.Subject(
              about.id(),
              about.application(),
              about.namespace(),
              about.taskname(),
              about.origin().topic(),
              about.origin().partition(),
              about.origin().offset());
      file.step(step.name().toLowerCase(Locale.ROOT), at, subject, detail);
    }
  }
}
