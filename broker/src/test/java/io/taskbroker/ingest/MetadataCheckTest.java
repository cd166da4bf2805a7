package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Folders;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A consumer that nothing but a new one replaces: its cluster was restored from an older copy, so
/// that its leader epochs went back. The consumer does not see that the cluster is down, and then
/// has no reason to forget the metadata it has.
final class MetadataCheckTest {
  private static final String TOPIC = "tasks";
  private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);

  @TempDir Path dir;

  @Test
  void g1ToldByLeaderEpochsThatWentBack() throws Exception {
    Path data = dir.resolve("kafka");
    Path copy = dir.resolve("copy");
    int port = Ports.free();
    EmbeddedKafka kafka = EmbeddedKafka.startOnPort(data, port);
    kafka.createTopic(TOPIC, 1);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrap()));
        Consumer<byte[], byte[]> consumer = consumer(kafka.bootstrap())) {
      var check = new MetadataCheck(consumer, admin);
      consumer.assign(List.of(PARTITION));
      kafka.stop();
      Folders.copy(data, copy);
      for (int restart = 1; restart <= 2; restart++) {
        kafka = EmbeddedKafka.startOnPort(data, port);
        awaitAnswer(check);
        kafka.stop();
      }

      Folders.delete(data);
      Folders.copy(copy, data);
      kafka = EmbeddedKafka.startOnPort(data, port);
      awaitTopic(admin);

      assertThatThrownBy(() -> check.requireCurrent(Set.of(PARTITION)))
          .isInstanceOf(MetadataCheck.Outdated.class)
          .hasMessageContaining("tasks-0");
      try (Consumer<byte[], byte[]> another = consumer(kafka.bootstrap())) {
        var fresh = new MetadataCheck(another, admin);
        assertThatCode(() -> fresh.requireCurrent(Set.of(PARTITION))).doesNotThrowAnyException();
        kafka.stop();
        assertThatThrownBy(() -> fresh.requireCurrent(Set.of(PARTITION)))
            .as("a cluster that is down says nothing of the consumer")
            .isInstanceOf(TimeoutException.class);
      }
    } finally {
      kafka.close();
    }
  }

  private static void awaitAnswer(MetadataCheck check) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .ignoreExceptions()
        .untilAsserted(() -> check.requireCurrent(Set.of(PARTITION)));
  }

  private static void awaitTopic(Admin admin) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .ignoreExceptions()
        .untilAsserted(() ->
            assertThat(admin.describeTopics(List.of(TOPIC)).allTopicNames().get()).hasSize(1));
  }

  private static Consumer<byte[], byte[]> consumer(String bootstrap) {
    return new KafkaConsumer<>(
        Map.of("bootstrap.servers", bootstrap, "reconnect.backoff.ms", "0"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }
}
