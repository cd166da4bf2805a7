package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Destination;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigLoader;
import io.taskbroker.ingest.DeclaredTopic;
import io.taskbroker.ingest.RawTask;
import io.taskbroker.ingest.TopicSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Mapping of the topic configuration to options of the stages.
final class TopicSettingsTest {
  private static final String TOPICS =
      """
      worker_map: {app: "http://127.0.0.1:1"}
      kafka_session_timeout_ms: 7000
      kafka_auto_commit_interval_ms: 700
      kafka_auto_offset_reset: earliest
      kafka_deadletter_topic: dead
      kafka_retry_topic: plain
      kafka_clusters:
        near: {address: "near:1"}
        far:
          address: "far:2"
          security_protocol: sasl_plaintext
          sasl_mechanism: plain
          sasl_username: u
          sasl_password: p
      kafka_topics:
        plain: {cluster: near, consumer_group: g1}
        own:
          cluster: far
          consumer_group: g2
          session_timeout_ms: 9000
          auto_commit_interval_ms: 90
          auto_offset_reset: latest
          raw:
            application: app
            namespace: ns
            taskname: mod.task
            processing_deadline_duration: 31
            compression_level: 7
        off: {cluster: near, consumer_group: g3, consumer_disabled: true}
        dead: {cluster: near, consumer_group: g1, produce_only: true}
      """;

  @TempDir private Path dir;

  @Test
  void consumerSettingsOfATopicOverrideTheDefaults() throws Exception {
    List<TopicSource> sources = StageOptions.sources(config(""));

    assertThat(sources).extracting(TopicSource::topic).containsExactlyInAnyOrder("plain", "own");
    TopicSource plain = source(sources, "plain");
    assertThat(plain.group()).isEqualTo("g1");
    assertThat(plain.sessionTimeout()).isEqualTo(Duration.ofSeconds(7));
    assertThat(plain.autoCommitInterval()).isEqualTo(Duration.ofMillis(700));
    assertThat(plain.autoOffsetReset()).isEqualTo("earliest");
    assertThat(plain.clientProperties()).isEqualTo(Map.of("bootstrap.servers", "near:1"));
    assertThat(plain.raw()).isEmpty();
    TopicSource own = source(sources, "own");
    assertThat(own.group()).isEqualTo("g2");
    assertThat(own.sessionTimeout()).isEqualTo(Duration.ofSeconds(9));
    assertThat(own.autoCommitInterval()).isEqualTo(Duration.ofMillis(90));
    assertThat(own.autoOffsetReset()).isEqualTo("latest");
    assertThat(own.clientProperties())
        .containsEntry("bootstrap.servers", "far:2")
        .containsEntry("security.protocol", "SASL_PLAINTEXT");
    assertThat(own.raw()).contains(new RawTask("app", "ns", "mod.task", Duration.ofSeconds(31), 7));
  }

  @Test
  void destinationsUseTheSettingsOfTheirCluster() throws Exception {
    var clusters = StageOptions.clusters(config(""));

    assertThat(clusters.apply(Destination.of("dead")))
        .isEqualTo(Map.of("bootstrap.servers", "near:1"));
    assertThat(clusters.apply(Destination.of("own"))).containsEntry("bootstrap.servers", "far:2");
    assertThat(clusters.apply(Destination.of("unknown"))).isNull();
  }

  @Test
  void declaredTopicsAreOnlyTheUnreadOnesUnlessTopicsAreCreated() throws Exception {
    assertThat(StageOptions.declaredTopics(config("")))
        .containsExactly(new DeclaredTopic("off", Map.of("bootstrap.servers", "near:1"), 0, true));

    List<DeclaredTopic> created =
        StageOptions.declaredTopics(
            config("create_missing_topics: true\ndefault_topic_partitions: 3\n"));

    assertThat(created)
        .extracting(DeclaredTopic::name)
        .containsExactlyInAnyOrder("plain", "own", "off", "dead");
    assertThat(created).allMatch(topic -> topic.partitions() == 3);
    assertThat(created)
        .filteredOn(DeclaredTopic::unread)
        .extracting(DeclaredTopic::name)
        .containsExactly("off");
  }

  @Test
  void deadLettersMayBeLargerThanTasks() throws Exception {
    assertThat(StageOptions.largestMessage(config("max_message_size: 1000\n"))).isEqualTo(32 << 20);
    assertThat(StageOptions.largestMessage(config("max_message_size: 50000000\n")))
        .isEqualTo(50_000_000);
  }

  private static TopicSource source(List<TopicSource> sources, String topic) {
    return sources.stream().filter(each -> each.topic().equals(topic)).findFirst().orElseThrow();
  }

  private BrokerConfig config(String more) throws Exception {
    Path file = Files.writeString(dir.resolve("config.yaml"), TOPICS + more);
    return ConfigLoader.load(Optional.of(file), Map.of());
  }
}
