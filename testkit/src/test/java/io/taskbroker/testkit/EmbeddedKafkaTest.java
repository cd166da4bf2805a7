package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
final class EmbeddedKafkaTest {
  @TempDir private Path dir;

  @Test
  void keepsDataAcrossRestartsOnTheSamePort() throws Exception {
    int port;
    try (var kafka = EmbeddedKafka.start(dir)) {
      port = kafka.port();
      kafka.createTopic("tasks", 2);
      produce(kafka, "tasks", List.of("a", "b", "c"));

      assertThat(consume(kafka, "tasks", "before", 3)).containsExactlyInAnyOrder("a", "b", "c");
    }

    try (var kafka = EmbeddedKafka.startOnPort(dir, port)) {
      assertThat(kafka.bootstrap()).isEqualTo("127.0.0.1:" + port);
      produce(kafka, "tasks", List.of("d"));

      assertThat(consume(kafka, "tasks", "after", 4)).containsExactlyInAnyOrder("a", "b", "c", "d");
    }
  }

  private static void produce(EmbeddedKafka kafka, String topic, List<String> values)
      throws Exception {
    var config = Map.<String, Object>of("bootstrap.servers", kafka.bootstrap());
    try (var producer =
        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (String value : values) {
        producer.send(new ProducerRecord<>(topic, value.getBytes(UTF_8))).get();
      }
    }
  }

  private static List<String> consume(EmbeddedKafka kafka, String topic, String group, int count) {
    var config =
        Map.<String, Object>of(
            "bootstrap.servers",
            kafka.bootstrap(),
            "group.id",
            group,
            "auto.offset.reset",
            "earliest");
    var values = new ArrayList<String>();
    try (var consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(topic));
      while (values.size() < count) {
        for (var message : consumer.poll(Duration.ofSeconds(1))) {
          values.add(new String(message.value(), UTF_8));
        }
      }
    }
    return values;
  }
}
