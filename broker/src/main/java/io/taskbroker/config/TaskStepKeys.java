package io.taskbroker.config;

import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.integer;
import static io.taskbroker.config.KeyType.list;
import static io.taskbroker.config.KeyType.oneOf;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;
import static io.taskbroker.config.KeyType.size;

import io.taskbroker.config.TaskStepConfig.Step;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Configuration keys: the audit stream of the steps of tasks.
final class TaskStepKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Steps of tasks", "A file or a topic with a line for each step of each task");

  static final Key<BrokerConfig, Optional<Path>> FILE =
      TABLE.key(
          "task_steps.file",
          optional(path()),
          Optional.empty(),
          "File of JSON lines with the steps of tasks; null: none. Tasks never wait for it",
          c -> c.taskSteps().file());

  static final Key<BrokerConfig, Optional<String>> TOPIC =
      TABLE.key(
          "task_steps.topic",
          optional(filledText()),
          Optional.empty(),
          "One of kafka_topics with produce_only, which gets the steps of tasks; null: none. Tasks"
              + " never wait for it",
          c -> c.taskSteps().topic());

  static final Key<BrokerConfig, List<Step>> STEPS =
      TABLE.key(
          "task_steps.steps",
          list(oneOf(Step.class)),
          List.of(Step.values()),
          "The steps that are written",
          c -> c.taskSteps().steps());

  static final Key<BrokerConfig, Long> MAX_SIZE =
      TABLE.key(
          "task_steps.max_size",
          size().where(value -> value >= 10_000, ", and at least 10000"),
          64_000_000L,
          "Bytes at which the file is renamed to FILE.1, and that to FILE.2",
          c -> c.taskSteps().maxSize());

  static final Key<BrokerConfig, Integer> KEPT =
      TABLE.key(
          "task_steps.kept",
          integer(0, 1_000),
          4,
          "Number of renamed files that are kept",
          c -> c.taskSteps().kept());

  private TaskStepKeys() {}
}
