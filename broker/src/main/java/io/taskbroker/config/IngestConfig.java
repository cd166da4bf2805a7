package io.taskbroker.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// What becomes of what comes in.
///
/// @param maxDelay a longer delay is cut
/// @param runtimeConfig the file of the rules that can change while the broker runs
/// @param canaryTasks how many tasks to make at start for each application
public record IngestConfig(Duration maxDelay, Optional<Path> runtimeConfig, int canaryTasks) {
  static IngestConfig read(Values values) {
    return new IngestConfig(
        values.get(IngestKeys.MAX_DELAYED_TASK_ALLOWED_SEC),
        values.get(IngestKeys.RUNTIME_CONFIG_PATH),
        values.get(IngestKeys.CANARY_TASKS));
  }
}
