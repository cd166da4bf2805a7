package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.seconds;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Configuration keys: handling of ingested tasks.
final class IngestKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Intake", "Handling of ingested tasks");

  static final Key<BrokerConfig, Duration> MAX_DELAYED_TASK_ALLOWED_SEC =
      TABLE.key(
          "max_delayed_task_allowed_sec",
          seconds(),
          Duration.ofHours(1),
          "Maximum delay of a task, counted from when it was published; longer delays are"
              + " clamped, with a warning once a minute per task",
          c -> c.ingest().maxDelay());

  static final Key<BrokerConfig, Optional<Path>> RUNTIME_CONFIG_PATH =
      TABLE.key(
          "runtime_config_path",
          optional(path()),
          Optional.empty(),
          "File of the rules that can change while the broker runs",
          c -> c.ingest().runtimeConfig());

  static final Key<BrokerConfig, Integer> CANARY_TASKS =
      TABLE.key(
          "canary_tasks",
          count(0),
          0,
          "Canary tasks enqueued per application at start",
          c -> c.ingest().canaryTasks());

  private IngestKeys() {}
}
