package io.taskbroker.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Handling of ingested tasks.
///
/// @param maxDelay longer delays are clamped to this
/// @param runtimeConfig file of the rules that can change at run time
/// @param canaryTasks canary tasks per application at start
public record IngestConfig(Duration maxDelay, Optional<Path> runtimeConfig, int canaryTasks) {
  static IngestConfig read(Values values) {
    return new IngestConfig(
        values.get(IngestKeys.MAX_DELAYED_TASK_ALLOWED_SEC),
        values.get(IngestKeys.RUNTIME_CONFIG_PATH),
        values.get(IngestKeys.CANARY_TASKS));
  }
}
