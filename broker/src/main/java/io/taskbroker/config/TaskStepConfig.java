package io.taskbroker.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Audit stream of the steps of tasks.
///
/// @param file none if empty
/// @param topic to produce to; none if empty
/// @param steps those that are written
/// @param maxSize bytes at which the file is renamed
/// @param kept number of renamed files that are kept
public record TaskStepConfig(
    Optional<Path> file, Optional<String> topic, List<Step> steps, long maxSize, int kept) {
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

  static TaskStepConfig read(Values values, KafkaConfig kafka) {
    Optional<String> topic = values.get(TaskStepKeys.TOPIC);
    topic
        .filter(name -> !isForSteps(name, kafka))
        .ifPresent(name ->
            values
                .problems()
                .add(
                    TaskStepKeys.TOPIC.path(),
                    name,
                    "must be one of kafka_topics, with produce_only, that gets nothing else"));
    return new TaskStepConfig(
        values.get(TaskStepKeys.FILE),
        topic,
        values.get(TaskStepKeys.STEPS),
        values.get(TaskStepKeys.MAX_SIZE),
        values.get(TaskStepKeys.KEPT));
  }

  private static boolean isForSteps(String name, KafkaConfig kafka) {
    TopicConfig topic = kafka.topics().get(name);
    return topic != null
        && topic.produceOnly()
        && !name.equals(kafka.deadletterTopic())
        && !name.equals(kafka.retryTopic());
  }
}
