package io.taskbroker.outbox;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/// Check of the topics on one cluster that this broker produces to: whether they exist and accept
/// its messages. Confined to one thread.
final class TargetCheck {
  private static final int TIMEOUT_MILLIS = 4_000;

  /// Overhead of a message beside its payload: headers, key, and the frame of its batch.
  static final int OVERHEAD_BYTES = 1 << 10;

  /// State of a topic.
  enum State {
    OK,
    MISSING,
    /// It does not exist, and Kafka creates it on first use.
    CREATED_ON_USE,
    /// Its message limit is below the largest message of this broker.
    TOO_SMALL,
    COMPACTED,
    /// Kafka did not answer, or refuses to tell.
    UNKNOWN;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// Result for one topic.
  ///
  /// @param states at least one
  /// @param problem the problem in one line; empty if there is none
  record Finding(Set<State> states, String problem) {}

  private final List<TargetTopic> topics;
  private final List<String> consumed;
  private final long largestAllowed;
  private final String bootstrap;

  /// @param topics of one cluster; at least one
  /// @param consumed the topics of that cluster that the broker consumes; for publishers that do
  ///   not compress, their message limits bound what is produced
  /// @param maxMessageSize largest payload in bytes
  TargetCheck(List<TargetTopic> topics, List<String> consumed, int maxMessageSize) {
    this.topics = List.copyOf(topics);
    this.consumed = List.copyOf(consumed);
    this.largestAllowed = (long) maxMessageSize + OVERHEAD_BYTES;
    this.bootstrap =
        topics
            .getFirst()
            .client()
            .getOrDefault(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, "an unknown cluster");
  }

  /// Asks Kafka; takes a few seconds at most.
  Map<TargetTopic, Finding> check() throws InterruptedException {
    var settings = new HashMap<String, Object>(topics.getFirst().client());
    settings.keySet().retainAll(AdminClientConfig.configNames());
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, "taskbroker-outbox-topics");
    settings.put(AdminClientConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    settings.put(AdminClientConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    Admin admin;
    try {
      admin = Admin.create(settings);
    } catch (KafkaException e) {
      return all(SendResult.reason(e));
    }
    try {
      return check(admin);
    } finally {
      admin.close(Duration.ZERO);
    }
  }

  private Map<TargetTopic, Finding> all(String why) {
    var findings = new HashMap<TargetTopic, Finding>();
    topics.forEach(topic -> findings.put(topic, unknown(topic, why)));
    return findings;
  }

  private Map<TargetTopic, Finding> check(Admin admin) throws InterruptedException {
    var options = new DescribeTopicsOptions().timeoutMs(TIMEOUT_MILLIS);
    var names = topics.stream().map(TargetTopic::name).toList();
    var asked = admin.describeTopics(names, options).topicNameValues();
    var findings = new HashMap<TargetTopic, Finding>();
    long needed = Math.min(largestAllowed, largestConsumed(admin));
    for (TargetTopic topic : topics) {
      Answer<?> answer = Answer.of(asked.get(topic.name()));
      if (answer.failure == null) {
        findings.put(topic, settings(admin, topic, needed));
      } else if (answer.failure instanceof UnknownTopicOrPartitionException) {
        findings.put(topic, missing(admin, topic));
      } else {
        findings.put(topic, unknown(topic, SendResult.reason(answer.failure)));
      }
    }
    return findings;
  }

  /// Largest batch of all consumed topics, in bytes; no bound if the limit of one is unknown.
  private long largestConsumed(Admin admin) throws InterruptedException {
    long largest = consumed.isEmpty() ? Long.MAX_VALUE : 0;
    for (String topic : consumed) {
      Answer<Config> answer = config(admin, new ConfigResource(ConfigResource.Type.TOPIC, topic));
      largest = Math.max(largest, answer.value == null ? Long.MAX_VALUE : largest(answer.value));
    }
    return largest;
  }

  private static long largest(Config topic) {
    return value(topic, TopicConfig.MAX_MESSAGE_BYTES_CONFIG)
        .map(Long::parseLong)
        .orElse(Long.MAX_VALUE);
  }

  private Finding settings(Admin admin, TargetTopic topic, long needed)
      throws InterruptedException {
    var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
    Answer<Config> answer = config(admin, resource);
    if (answer.value == null) {
      return new Finding(EnumSet.of(State.UNKNOWN), "");
    }
    Set<State> states = EnumSet.noneOf(State.class);
    var problem = new ArrayList<String>();
    long largest = largest(answer.value);
    if (largest < needed) {
      states.add(State.TOO_SMALL);
      problem.add(
          "takes messages of %,d bytes only (max.message.bytes), and %s may have %,d: larger ones would be quarantined"
              .formatted(largest, topic.contents(), needed));
    }
    String cleanup = value(answer.value, TopicConfig.CLEANUP_POLICY_CONFIG).orElse("");
    if (cleanup.contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
      states.add(State.COMPACTED);
      problem.add(
          "is compacted: %s get their task's id as key, and replace earlier ones of that id"
              .formatted(topic.contents()));
    }
    return states.isEmpty()
        ? new Finding(EnumSet.of(State.OK), "")
        : new Finding(states, line(topic, String.join("; it ", problem)));
  }

  /// Finding for a missing topic. It is no problem if Kafka creates the topic on use.
  private Finding missing(Admin admin, TargetTopic topic) throws InterruptedException {
    Answer<Boolean> creates = createsOnUse(admin);
    if (creates.value == null) {
      return new Finding(
          EnumSet.of(State.UNKNOWN),
          line(
              topic,
              "does not exist, and whether Kafka creates it on use is unknown (%s)"
                  .formatted(creates.reason())));
    }
    if (creates.value) {
      return new Finding(EnumSet.of(State.CREATED_ON_USE), "");
    }
    return new Finding(
        EnumSet.of(State.MISSING),
        line(
            topic,
            "does not exist: %s wait in the store until it does; create it, or correct %s"
                .formatted(topic.contents(), topic.key())));
  }

  private Answer<Boolean> createsOnUse(Admin admin) throws InterruptedException {
    var options = new DescribeClusterOptions().timeoutMs(TIMEOUT_MILLIS);
    Answer<Collection<Node>> nodes = Answer.of(admin.describeCluster(options).nodes());
    if (nodes.value == null || nodes.value.isEmpty()) {
      return new Answer<>(null, nodes.failure);
    }
    String node = nodes.value.iterator().next().idString();
    Answer<Config> config = config(admin, new ConfigResource(ConfigResource.Type.BROKER, node));
    if (config.value == null) {
      return new Answer<>(null, config.failure);
    }
    Optional<String> creates = value(config.value, "auto.create.topics.enable");
    return new Answer<>(creates.map(Boolean::parseBoolean).orElse(null), null);
  }

  private static Answer<Config> config(Admin admin, ConfigResource resource)
      throws InterruptedException {
    var options = new DescribeConfigsOptions().timeoutMs(TIMEOUT_MILLIS);
    return Answer.of(admin.describeConfigs(List.of(resource), options).values().get(resource));
  }

  private static Optional<String> value(Config config, String name) {
    return Optional.ofNullable(config.get(name)).map(entry -> entry.value());
  }

  private Finding unknown(TargetTopic topic, String why) {
    return new Finding(
        EnumSet.of(State.UNKNOWN), line(topic, "cannot be checked and may not exist: " + why));
  }

  private String line(TargetTopic topic, String what) {
    return "Topic %s at %s, for %s, %s".formatted(topic.name(), bootstrap, topic.contents(), what);
  }

  /// Answer of Kafka: a value, or why there is none.
  private record Answer<T>(@Nullable T value, @Nullable KafkaException failure) {
    static <T> Answer<T> of(@Nullable KafkaFuture<T> future) throws InterruptedException {
      if (future == null) {
        return new Answer<>(null, new KafkaException("no answer"));
      }
      try {
        return new Answer<>(future.get(2L * TIMEOUT_MILLIS, TimeUnit.MILLISECONDS), null);
      } catch (ExecutionException e) {
        KafkaException failure =
            e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e);
        return new Answer<>(null, failure);
      } catch (java.util.concurrent.TimeoutException e) {
        return new Answer<>(null, new KafkaException("no answer", e));
      }
    }

    String reason() {
      return failure == null ? "no answer" : SendResult.reason(failure);
    }
  }
}
