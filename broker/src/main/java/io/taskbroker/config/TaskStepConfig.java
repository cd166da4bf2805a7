package io.taskbroker.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Audit stream of the steps of tasks.
///
/// @param file none if empty
/// @param steps those that have lines
/// @param maxSize bytes at which the file is renamed
/// @param kept number of renamed files that are kept
public record TaskStepConfig(Optional<Path> file, List<Step> steps, long maxSize, int kept) {
  public TaskStepConfig {
    steps = List.copyOf(steps);
  }

  /// Step of a task, as in its history.
  public enum Step {
    RECEIVED,
    LOADED,
    STORED,
    DELAY_ENDED,
    DELIVERED,
    ACCEPTED,
    REPORTED,
    REQUEUED,
    RETRIED,
    FORWARDED,
    QUARANTINED,
    ENDED
  }

  static TaskStepConfig read(Values values) {
    return new TaskStepConfig(
        values.get(TaskStepKeys.FILE),
        values.get(TaskStepKeys.STEPS),
        values.get(TaskStepKeys.MAX_SIZE),
        values.get(TaskStepKeys.KEPT));
  }
}
