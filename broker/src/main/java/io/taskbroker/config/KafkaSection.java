package io.taskbroker.config;

import static io.taskbroker.config.ConfigKeys.CLUSTERS;
import static io.taskbroker.config.ConfigKeys.TOPICS;
import static io.taskbroker.config.KafkaKeys.KAFKA_DEADLETTER_TOPIC;
import static io.taskbroker.config.KafkaKeys.KAFKA_RETRY_TOPIC;

import io.taskbroker.config.ClusterConfig.Security;
import io.taskbroker.config.TopicConfig.Consumption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Reader of topics and clusters, from their sections or from old keys, with cross-checks
/// (reference-spec 3.5 and 3.6).
final class KafkaSection {
  /// Kafka's naming rule.
  private static final Pattern TOPIC_NAME = Pattern.compile("(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}");

  private static final String TOPIC_NAMES =
      "1 to 249 letters, digits, '.', '_' and '-', and neither '.' nor '..'";

  private final Values values;
  private final Problems problems;
  private final Set<String> applications;
  private final Consumption consumption;
  private final String deadletter;
  private final Map<String, TopicConfig> topics = new LinkedHashMap<>();
  private final Map<String, ClusterConfig> clusters = new LinkedHashMap<>();

  private KafkaSection(Values values, Set<String> applications) {
    this.values = values;
    this.problems = values.problems();
    this.applications = applications;
    this.deadletter = values.get(KAFKA_DEADLETTER_TOPIC);
    this.consumption =
        new Consumption(
            values.get(KafkaKeys.KAFKA_SESSION_TIMEOUT_MS),
            values.get(KafkaKeys.KAFKA_AUTO_COMMIT_INTERVAL_MS),
            values.get(KafkaKeys.KAFKA_AUTO_OFFSET_RESET));
  }

  /// @param applications keys of the worker map
  static KafkaConfig read(Values values, Set<String> applications) {
    return new KafkaSection(values, applications).read();
  }

  private KafkaConfig read() {
    Optional<String> givenRetry = values.get(KAFKA_RETRY_TOPIC);
    if (!values.get(KafkaKeys.KAFKA_ENABLED)) {
      return config(givenRetry.orElse(""));
    }
    boolean hasTopics = isFilled(TOPICS);
    boolean hasClusters = isFilled(CLUSTERS);
    List<String> old = OldKeys.KAFKA.stream().filter(values::has).map(key -> key.path()).toList();
    if (hasTopics || hasClusters) {
      if (!old.isEmpty()) {
        problems.add(
            String.join(", ", old), "", "cannot be mixed with kafka_topics and kafka_clusters");
      }
      if (!hasTopics) {
        problems.add(TOPICS, "", "kafka_clusters is set but kafka_topics is empty");
      }
      if (!hasClusters) {
        problems.add(CLUSTERS, "", "kafka_topics is set but kafka_clusters is empty");
      }
      values.section(CLUSTERS).ifPresent(this::readClusters);
      values.section(TOPICS).ifPresent(this::readTopics);
      if (hasTopics && hasClusters) {
        checkTopics();
      }
    } else {
      readOld(givenRetry);
    }
    String retry = retryTopic(givenRetry);
    topics.values().forEach(topic -> checkRaw(topic, retry));
    return config(retry);
  }

  private KafkaConfig config(String retry) {
    return new KafkaConfig(
        Collections.unmodifiableMap(topics),
        Collections.unmodifiableMap(clusters),
        deadletter,
        retry,
        values.get(KafkaKeys.KAFKA_LONG_TOPIC),
        new KafkaConfig.Creation(
            values.get(KafkaKeys.CREATE_MISSING_TOPICS),
            values.get(KafkaKeys.DEFAULT_TOPIC_PARTITIONS)),
        consumption,
        values.get(KafkaKeys.MAX_MESSAGE_SIZE),
        values.get(KafkaKeys.KAFKA_SEND_TIMEOUT_MS));
  }

  private boolean isFilled(String section) {
    return values.section(section).filter(entries -> !entries.names().isEmpty()).isPresent();
  }

  private void readClusters(Values section) {
    for (String name : section.names()) {
      section
          .section(name)
          .ifPresent(cluster ->
              addCluster(
                  name,
                  cluster.get(ClusterKeys.CLUSTER_ADDRESS),
                  new Security(
                      cluster.get(ClusterKeys.SECURITY_PROTOCOL),
                      cluster.get(ClusterKeys.SASL_MECHANISM),
                      cluster.get(ClusterKeys.SASL_USERNAME),
                      cluster.get(ClusterKeys.SASL_PASSWORD),
                      cluster.get(ClusterKeys.SSL_CA_LOCATION),
                      cluster.get(ClusterKeys.SSL_CERTIFICATE_LOCATION),
                      cluster.get(ClusterKeys.SSL_KEY_LOCATION)),
                  CLUSTERS + "." + name + "."));
    }
  }

  private void readTopics(Values section) {
    for (String name : section.names()) {
      if (!TOPIC_NAME.matcher(name).matches()) {
        problems.add(TOPICS, quoted(name), "must be valid Kafka topic names: " + TOPIC_NAMES);
      }
      section.section(name).ifPresent(topic -> topics.put(name, readTopic(name, topic)));
    }
  }

  private TopicConfig readTopic(String name, Values topic) {
    return new TopicConfig(
        name,
        topic.get(TopicKeys.TOPIC_CLUSTER),
        topic.get(TopicKeys.TOPIC_CONSUMER_GROUP),
        topic.get(TopicKeys.TOPIC_PRODUCE_ONLY),
        topic.get(TopicKeys.TOPIC_CONSUMER_DISABLED),
        new Consumption(
            topic.has(TopicKeys.TOPIC_SESSION_TIMEOUT_MS)
                ? topic.get(TopicKeys.TOPIC_SESSION_TIMEOUT_MS)
                : consumption.sessionTimeout(),
            topic.has(TopicKeys.TOPIC_AUTO_COMMIT_INTERVAL_MS)
                ? topic.get(TopicKeys.TOPIC_AUTO_COMMIT_INTERVAL_MS)
                : consumption.autoCommitInterval(),
            topic.has(TopicKeys.TOPIC_AUTO_OFFSET_RESET)
                ? topic.get(TopicKeys.TOPIC_AUTO_OFFSET_RESET)
                : consumption.autoOffsetReset()),
        topic
            .section(ConfigKeys.RAW_SECTION)
            .map(raw ->
                new RawConfig(
                    raw.get(RawKeys.RAW_NAMESPACE),
                    raw.get(RawKeys.RAW_APPLICATION),
                    raw.get(RawKeys.RAW_TASKNAME),
                    raw.get(RawKeys.RAW_PROCESSING_DEADLINE_DURATION),
                    raw.get(RawKeys.RAW_COMPRESSION_LEVEL))));
  }

  private void checkTopics() {
    topics.forEach((name, topic) -> {
      if (!topic.cluster().isEmpty() && !clusters.containsKey(topic.cluster())) {
        problems.add(
            TOPICS + "." + name + ".cluster",
            quoted(topic.cluster()),
            "must be one of kafka_clusters: " + String.join(", ", clusters.keySet()));
      }
    });
    if (topics.values().stream().allMatch(TopicConfig::produceOnly)) {
      problems.add(
          TOPICS,
          "",
          "no consumable topic configured: one topic at least must not be produce_only");
    }
    mustBeDeclared(KAFKA_DEADLETTER_TOPIC, deadletter);
  }

  /// Reads one consumed topic and one dead-letter topic, from old keys or their defaults.
  private void readOld(Optional<String> retry) {
    String topic = values.get(OldKeys.TOPIC);
    String address = values.get(OldKeys.CLUSTER);
    if (deadletter.equals(topic)) {
      problems.add(
          KAFKA_DEADLETTER_TOPIC.path(), quoted(deadletter), "must not be the consumed topic");
    }
    addCluster("default", address, oldSecurity(OldKeys.MAIN), OldKeys.MAIN);
    addCluster(
        "deadletter",
        values.get(OldKeys.DEADLETTER_CLUSTER).orElse(address),
        oldSecurity(OldKeys.DEADLETTER),
        OldKeys.DEADLETTER);
    String group = values.get(OldKeys.CONSUMER_GROUP);
    topics.put(
        topic, new TopicConfig(topic, "default", group, false, false, consumption, oldRaw()));
    topics.putIfAbsent(deadletter, produced(deadletter, group));
    retry.ifPresent(name -> topics.putIfAbsent(name, produced(name, group)));
  }

  private TopicConfig produced(String name, String group) {
    return new TopicConfig(name, "deadletter", group, true, false, consumption, Optional.empty());
  }

  private Optional<RawConfig> oldRaw() {
    if (!values.get(OldKeys.RAW_MODE)) {
      return Optional.empty();
    }
    return Optional.of(
        new RawConfig(
            oldRequired(OldKeys.RAW_NAMESPACE),
            oldRequired(OldKeys.RAW_APPLICATION),
            oldRequired(OldKeys.RAW_TASKNAME),
            values.get(OldKeys.RAW_PROCESSING_DEADLINE_DURATION),
            RawKeys.RAW_COMPRESSION_LEVEL.fallback()));
  }

  private String oldRequired(Key<Object, String> key) {
    if (!values.has(key)) {
      problems.add(key.path(), "", "is missing, and required with raw_mode");
      return "";
    }
    return values.get(key);
  }

  private Security oldSecurity(String prefix) {
    return new Security(
        values.get(OldKeys.security(prefix, ClusterKeys.SECURITY_PROTOCOL)),
        values.get(OldKeys.security(prefix, ClusterKeys.SASL_MECHANISM)),
        values.get(OldKeys.security(prefix, ClusterKeys.SASL_USERNAME)),
        values.get(OldKeys.security(prefix, ClusterKeys.SASL_PASSWORD)),
        values.get(OldKeys.security(prefix, ClusterKeys.SSL_CA_LOCATION)),
        values.get(OldKeys.security(prefix, ClusterKeys.SSL_CERTIFICATE_LOCATION)),
        values.get(OldKeys.security(prefix, ClusterKeys.SSL_KEY_LOCATION)));
  }

  /// @param prefix prefix of its keys in error messages
  private void addCluster(String name, String address, Security security, String prefix) {
    if (security.usesSasl()) {
      required(security.mechanism(), prefix + ClusterKeys.SASL_MECHANISM.path());
      required(
          security.username().filter(user -> !user.isBlank()),
          prefix + ClusterKeys.SASL_USERNAME.path());
      required(
          security.password().filter(password -> !password.reveal().isBlank()),
          prefix + ClusterKeys.SASL_PASSWORD.path());
    }
    if (security.usesTls()
        && security.certificateLocation().isPresent() != security.keyLocation().isPresent()) {
      problems.add(
          prefix + ClusterKeys.SSL_CERTIFICATE_LOCATION.path(),
          "",
          "must be given together with " + prefix + ClusterKeys.SSL_KEY_LOCATION.path());
    }
    clusters.put(name, new ClusterConfig(name, address, security));
  }

  private void required(Optional<?> value, String key) {
    if (value.isEmpty()) {
      problems.add(key, "", "is missing or empty, and required with that security_protocol");
    }
  }

  private String retryTopic(Optional<String> given) {
    List<TopicConfig> consumed =
        topics.values().stream().filter(topic -> !topic.produceOnly()).toList();
    boolean anyRaw = topics.values().stream().anyMatch(topic -> topic.raw().isPresent());
    if (given.isEmpty()) {
      if (!anyRaw && consumed.size() == 1) {
        String retry = consumed.getFirst().name();
        checkClusterOfRetries(retry);
        return retry;
      }
      if (!consumed.isEmpty()) {
        problems.add(
            KAFKA_RETRY_TOPIC.path(),
            "",
            "is missing, and required "
                + (anyRaw ? "with a raw topic" : "with more than one consumed topic"));
      }
      return "";
    }
    String retry = given.get();
    if (retry.equals(deadletter)) {
      problems.add(KAFKA_RETRY_TOPIC.path(), quoted(retry), "must not be kafka_deadletter_topic");
    } else if (!topics.isEmpty()) {
      mustBeDeclared(KAFKA_RETRY_TOPIC, retry);
      checkClusterOfRetries(retry);
    }
    return retry;
  }

  private void checkClusterOfRetries(String retry) {
    Optional<String> ofRetries = address(retry);
    Optional<String> ofDeadletters = address(deadletter);
    if (ofRetries.isPresent() && ofDeadletters.isPresent() && !ofRetries.equals(ofDeadletters)) {
      problems.add(
          KAFKA_RETRY_TOPIC.path(),
          quoted(retry),
          "must be on the cluster of kafka_deadletter_topic, with the same address, but is at %s instead of %s"
              .formatted(ofRetries.get(), ofDeadletters.get()));
    }
  }

  private Optional<String> address(String topic) {
    return Optional.ofNullable(topics.get(topic))
        .map(declared -> clusters.get(declared.cluster()))
        .map(ClusterConfig::address);
  }

  private void mustBeDeclared(Key<?, ?> key, String topic) {
    if (!topics.containsKey(topic)) {
      problems.add(
          key.path(),
          quoted(topic),
          "must be one of kafka_topics: " + String.join(", ", topics.keySet()));
    }
  }

  private void checkRaw(TopicConfig topic, String retry) {
    topic
        .raw()
        .ifPresent(raw -> {
          String key = TOPICS + "." + topic.name() + ".raw";
          if (!raw.application().isEmpty() && !applications.contains(raw.application())) {
            problems.add(
                key + ".application",
                quoted(raw.application()),
                "must be a key of worker_map: " + String.join(", ", applications));
          }
          if (topic.name().equals(retry)) {
            problems.add(KAFKA_RETRY_TOPIC.path(), quoted(retry), "must not be a raw topic");
          }
        });
  }

  private static String quoted(String value) {
    return '"' + value + '"';
  }
}
