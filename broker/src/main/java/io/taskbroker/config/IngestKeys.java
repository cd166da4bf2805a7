package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.seconds;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// The keys of an area: What becomes of what comes in.
final class IngestKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Intake", "What becomes of what comes in");

  static final Key<BrokerConfig, Duration> MAX_DELAYED_TASK_ALLOWED_SEC =
      TABLE.key(
          "max_delayed_task_allowed_sec",
          seconds(),
          Duration.ofHours(1),
          "A longer delay of a task, counted from when it was published, is cut to this; the log"
              + " says so, once a minute for a task",
          c -> c.ingest().maxDelay());

  static final Key<BrokerConfig, Optional<Path>> RUNTIME_CONFIG_PATH =
      TABLE.key(
          "runtime_config_path",
          optional(path()),
          Optional.empty(),
          "The file of the rules that can change while the broker runs",
          c -> c.ingest().runtimeConfig());

  static final Key<BrokerConfig, Integer> CANARY_TASKS =
      TABLE.key(
          "canary_tasks",
          count(0),
          0,
          "How many canary tasks to make at start for each application",
          c -> c.ingest().canaryTasks());

  private IngestKeys() {}
}
