package io.taskbroker.config;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Topics and clusters: old keys, new sections, and their consistency rules.
final class KafkaSectionTest {
  private static final String MINIMAL =
      """
      kafka_deadletter_topic: dlq
      kafka_clusters: {main: {address: "k:9092"}, other: {address: "o:9092"}}
      kafka_topics:
        t: {cluster: main, consumer_group: g}
        dlq: {cluster: main, consumer_group: g, produce_only: true}
      """;

  @Test
  void retryTopicDefaultsToTheOnlyConsumedTopic() {
    assertThat(Configs.yaml(MINIMAL).kafka().retryTopic()).isEqualTo("t");
  }

  @Test
  void oldKeysBuildTwoClustersAndTheirTopics() {
    var warnings = new ArrayList<String>();
    KafkaConfig kafka =
        Configs.load(
                """
                db_path: /tmp/x.sqlite
                max_pending_count: 9
                kafka_topic: tasks
                kafka_deadletter_topic: tasks-dlq
                kafka_consumer_group: group
                kafka_auto_offset_reset: smallest
                kafka_cluster: k:9092
                kafka_security_protocol: SASL_PLAINTEXT
                kafka_sasl_mechanism: plain
                kafka_sasl_username: u
                kafka_sasl_password: p
                kafka_deadletter_ssl_ca_location: /ca
                kafka_deadletter_security_protocol: ssl
                kafka_retry_topic: tasks-retry
                """,
                Map.of(),
                warnings)
            .kafka();

    assertThat(warnings).isEmpty();
    assertThat(kafka.topics()).containsOnlyKeys("tasks", "tasks-dlq", "tasks-retry");
    assertThat(topic(kafka, "tasks").produceOnly()).isFalse();
    assertThat(topic(kafka, "tasks").consumerGroup()).isEqualTo("group");
    assertThat(topic(kafka, "tasks").consumption().autoOffsetReset())
        .isEqualTo(OffsetReset.EARLIEST);
    assertThat(topic(kafka, "tasks-dlq").produceOnly()).isTrue();
    assertThat(topic(kafka, "tasks-retry").cluster()).isEqualTo("deadletter");
    assertThat(kafka.clusterOf("tasks").security())
        .isEqualTo(
            new ClusterConfig.Security(
                Optional.of("SASL_PLAINTEXT"),
                Optional.of("PLAIN"),
                Optional.of("u"),
                Optional.of(new Secret("p")),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()));
    assertThat(kafka.clusterOf("tasks-dlq"))
        .isEqualTo(
            new ClusterConfig(
                "deadletter",
                "k:9092",
                new ClusterConfig.Security(
                    Optional.of("SSL"),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.of(Path.of("/ca")),
                    Optional.empty(),
                    Optional.empty())));
  }

  @Test
  void retriesMayGoToTheConsumedTopicOfAnOldFile() {
    KafkaConfig kafka = Configs.yaml("kafka_topic: t\nkafka_retry_topic: t").kafka();

    assertThat(kafka.retryTopic()).isEqualTo("t");
    assertThat(topic(kafka, "t").produceOnly()).isFalse();
  }

  @Test
  void rawModeOfAnOldFile() {
    KafkaConfig kafka =
        Configs.yaml(
                """
                raw_mode: true
                raw_namespace: ns
                raw_application: sentry
                raw_taskname: mod.task
                kafka_retry_topic: retries
                """)
            .kafka();

    assertThat(topic(kafka, "taskworker").raw())
        .contains(new RawConfig("ns", "sentry", "mod.task", Duration.ofSeconds(30), 3));
    assertThatThrownBy(() -> Configs.yaml("raw_mode: true"))
        .hasMessage(
            """
            raw_namespace: is missing, and required with raw_mode
            raw_application: is missing, and required with raw_mode
            raw_taskname: is missing, and required with raw_mode
            kafka_retry_topic: is missing, and required with a raw topic\
            """);
  }

  @Test
  void flatKeysMoveUnlessTheNewOneIsGiven() {
    var warnings = new ArrayList<String>();
    BrokerConfig config =
        Configs.load(
            """
            fetch_wait_ms: 250
            push_timeout_ms: 1500
            db_query_retry_delay_ms: 7
            db_insert_batch_max_time_ms: 8
            database_adapter: postgres
            pg_host: old
            push_threads: 3
            push: {threads: 4}
            store:
            """,
            Map.of("TASKBROKER_STORE__PG__HOST", "new", "TASKBROKER_DB_MAX_SIZE", "99"),
            warnings);

    assertThat(config.fetch().backoff()).isEqualTo(Duration.ofMillis(250));
    assertThat(config.push().timeout()).isEqualTo(Duration.ofMillis(1500));
    assertThat(config.store().retry().delay()).isEqualTo(Duration.ofMillis(7));
    assertThat(config.store().inserts().batchTime()).isEqualTo(Duration.ofMillis(8));
    assertThat(config.store().adapter()).isEqualTo(StoreConfig.Adapter.POSTGRES);
    assertThat(config.store().postgres().address().host()).isEqualTo("new");
    assertThat(config.store().limits().maxSize()).contains(99L);
    assertThat(config.push().threads()).isEqualTo(4);
    assertThat(warnings)
        .hasSize(2)
        .anyMatch(line ->
            line.startsWith("Configuration key pg_host is ignored, since store.pg.host is given ("))
        .anyMatch(line ->
            line.startsWith(
                "Configuration key push_threads is ignored, since push.threads is given ("));
  }

  @Test
  void everyFlatKeyMoves() {
    for (OldKeys.Moved moved : OldKeys.MOVED) {
      String path = moved.to().path();
      String value =
          switch (moved.to().fallback()) {
            case Boolean b -> String.valueOf(!b);
            case Number _ -> "2";
            case Duration _ -> "2";
            case Optional<?> _ when path.contains("count") || path.contains("size") -> "2";
            case StoreConfig.Adapter _ -> "postgres";
            default -> "text";
          };

      BrokerConfig config = Configs.yaml(moved.from() + ": " + value);

      assertThat(moved.to().in().apply(config)).as(path).isNotEqualTo(moved.to().fallback());
    }
    assertThat(OldKeys.MOVED).hasSize(36);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kafka_topic: x | kafka_topic: cannot be mixed with kafka_topics and kafka_clusters",
        "kafka_deadletter_sasl_password: x | kafka_deadletter_sasl_password: cannot be mixed with"
            + " kafka_topics and kafka_clusters",
        "kafka_deadletter_topic: nowhere | kafka_deadletter_topic = \"nowhere\": must be one of"
            + " kafka_topics: t, dlq",
        "kafka_retry_topic: nowhere | kafka_retry_topic = \"nowhere\": must be one of kafka_topics:"
            + " t, dlq",
        "kafka_retry_topic: dlq | kafka_retry_topic = \"dlq\": must not be kafka_deadletter_topic",
        "kafka_topics: {t: {cluster: none}} | kafka_topics.t.cluster = \"none\": must be one of"
            + " kafka_clusters: main, other",
        "kafka_topics: {t: {produce_only: true}} | kafka_topics: no consumable topic configured:"
            + " one topic at least must not be produce_only",
        "kafka_topics: {u: {consumer_group: g, cluster: main}} | kafka_retry_topic: is missing, and"
            + " required with more than one consumed topic",
        "kafka_topics: {t: {raw: {namespace: n, application: sentry, taskname: k,"
            + " processing_deadline_duration: 1}}} | kafka_retry_topic: is missing, and required"
            + " with a raw topic",
        "kafka_topics: {t: {cluster: other}} | kafka_retry_topic = \"t\": must be on the cluster of"
            + " kafka_deadletter_topic, with the same address, but is at o:9092 instead of k:9092",
        "kafka_clusters: {main: {security_protocol: sasl_ssl, sasl_mechanism: plain, sasl_username:"
            + " u}} | kafka_clusters.main.sasl_password: is missing or empty, and required with"
            + " that security_protocol",
        "kafka_clusters: {main: {security_protocol: sasl_ssl, sasl_mechanism: plain, sasl_username:"
            + " u, sasl_password: \" \"}} | kafka_clusters.main.sasl_password: is missing or empty,"
            + " and required with that security_protocol",
        "kafka_topics: {\" \": {cluster: main, consumer_group: g, produce_only: true}} |"
            + " kafka_topics = \" \": must be valid Kafka topic names: 1 to 249 letters, digits,"
            + " '.', '_' and '-', and neither '.' nor '..'",
        "kafka_clusters: {main: {security_protocol: ssl, ssl_key_location: /k}} |"
            + " kafka_clusters.main.ssl_certificate_location: must be given together with"
            + " kafka_clusters.main.ssl_key_location",
      })
  void brokenRules(String change, String problem) {
    String key = change.substring(0, change.indexOf(':'));
    String value = change.substring(change.indexOf(':') + 1).strip();

    assertThatThrownBy(() -> Configs.load(MINIMAL, overlay(key, value), new ArrayList<>()))
        .isInstanceOf(ConfigException.class)
        .hasMessage(problem);
  }

  @Test
  void retriesMayGoToAnyDeclaredTopicOfTheClusterOfDeadLetters() {
    String several =
        MINIMAL
            + """
              u: {cluster: other, consumer_group: g}
              r: {cluster: main, consumer_group: g, produce_only: true}
            kafka_retry_topic: %s
            """;

    assertThat(Configs.yaml(several.formatted("r")).kafka().retryTopic()).isEqualTo("r");
    assertThat(Configs.yaml(several.formatted("t")).kafka().retryTopic()).isEqualTo("t");
    assertThatThrownBy(() -> Configs.yaml(several.formatted("u")))
        .hasMessageContaining("must be on the cluster of kafka_deadletter_topic");
  }

  @Test
  void bothSectionsAreRequired() {
    assertThatThrownBy(() -> Configs.yaml("kafka_clusters: {main: {address: \"k:1\"}}"))
        .hasMessage("kafka_topics: kafka_clusters is set but kafka_topics is empty");
    assertThatThrownBy(() -> Configs.yaml("kafka_topics: {t: {cluster: c, consumer_group: g}}"))
        .hasMessage("kafka_clusters: kafka_topics is set but kafka_clusters is empty");
    assertThatThrownBy(() ->
            Configs.yaml(
                """
                kafka_clusters: {main: {}}
                kafka_topics: {t: {}, taskworker-dlq: {cluster: main, consumer_group: g}}
                kafka_retry_topic: t
                """))
        .hasMessage(
            """
            kafka_clusters.main.address: is missing: must be text, and not empty; quote it if it looks like a number
            kafka_topics.t.cluster: is missing: must be text, and not empty; quote it if it looks like a number
            kafka_topics.t.consumer_group: is missing: must be text, and not empty; quote it if it looks like a number\
            """);
  }

  @Test
  void anOldFileMustNotConsumeItsDeadLetters() {
    assertThatThrownBy(() -> Configs.yaml("kafka_topic: t\nkafka_deadletter_topic: t"))
        .hasMessage("kafka_deadletter_topic = \"t\": must not be the consumed topic");
  }

  @Test
  void aRawTopicNeedsAKnownApplicationAndAnotherRetryTopic() {
    assertThatThrownBy(() ->
            Configs.yaml(
                MINIMAL
                    + """
                      r:
                        cluster: main
                        consumer_group: g
                        raw: {application: unknown, namespace: n}
                    kafka_retry_topic: r
                    """))
        .hasMessage(
            """
            kafka_topics.r.raw.taskname: is missing: must be text, and not empty; quote it if it looks like a number
            kafka_topics.r.raw.processing_deadline_duration: is missing: must be a whole number of seconds of at least 0 and at most 65535
            kafka_topics.r.raw.application = "unknown": must be a key of worker_map: sentry
            kafka_retry_topic = "r": must not be a raw topic\
            """);
  }

  private static TopicConfig topic(KafkaConfig kafka, String name) {
    return requireNonNull(kafka.topics().get(name));
  }

  private static Map<String, String> overlay(String key, String value) {
    String grammar = value.startsWith("{") ? value.replace(": ", "=").replace(", ", ",") : value;
    return Map.of("TASKBROKER_" + key.toUpperCase(Locale.ROOT), grammar);
  }
}
