package io.taskbroker.deadletter;

import io.taskbroker.config.KafkaConfig;
import io.taskbroker.config.TopicConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Topics that dead letters of one topic can be replayed to. One thread.
final class ReplayTargets {
  private final KafkaConfig kafka;
  private final String deadLetters;
  private final String override;
  private final Map<String, Optional<SkipReason>> checked = new HashMap<>();

  /// @param override the topic for all of them; empty for the topic of each task
  ReplayTargets(KafkaConfig kafka, String deadLetters, String override) {
    this.kafka = kafka;
    this.deadLetters = deadLetters;
    this.override = override;
  }

  /// The topic of a dead letter: where its last attempt came from. A dead letter without headers
  /// belongs to the only topic of tasks that there is; empty if there are several.
  String topicOf(DeadLetter letter) {
    if (!override.isEmpty()) {
      return override;
    }
    if (!letter.topic().isEmpty()) {
      return letter.topic();
    }
    List<String> candidates =
        kafka.topics().values().stream()
            .filter(it -> !it.produceOnly() && it.raw().isEmpty())
            .map(TopicConfig::name)
            .filter(it -> !it.equals(deadLetters))
            .toList();
    return candidates.size() == 1 ? candidates.getFirst() : "";
  }

  /// Why nothing can be replayed to a topic; empty if it can.
  Optional<SkipReason> problem(String topic) {
    return checked.computeIfAbsent(topic, this::check);
  }

  private Optional<SkipReason> check(String topic) {
    if (topic.isEmpty()) {
      return Optional.of(SkipReason.NO_TOPIC);
    }
    TopicConfig declared = kafka.topics().get(topic);
    if (declared == null) {
      return Optional.of(SkipReason.UNDECLARED_TOPIC);
    }
    if (declared.raw().isPresent()) {
      return Optional.of(SkipReason.RAW_TOPIC);
    }
    var cluster = kafka.clusterOf(topic);
    if (!cluster.address().equals(kafka.clusterOf(deadLetters).address())) {
      return Optional.of(SkipReason.OTHER_CLUSTER);
    }
    try (var scan = TopicScan.open(cluster, topic).orElse(null)) {
      return scan == null ? Optional.of(SkipReason.MISSING_TOPIC) : Optional.empty();
    }
  }
}
