package io.taskbroker.outbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.telemetry.TaskStepSink.Subject;
import io.taskbroker.testkit.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The audit stream to a real Kafka that goes away and returns.
@Timeout(240)
final class TaskStepTopicTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long NOW = 1_700_000_000_000L;

  /// More than the queue and the producer hold.
  private static final int FLOOD = 80_000;

  @TempDir private Path dir;

  @Test
  void taskNeverWaitsAndWhatIsDroppedIsCountedAndSaid() {
    EmbeddedKafka kafka = EmbeddedKafka.start(dir);
    int port = kafka.port();
    kafka.createTopic("steps", 2);
    var topic = new TaskStepTopic("steps", Map.of("bootstrap.servers", kafka.bootstrap()));
    int sent = 0;
    for (int i = 0; i < 100; i++) {
      step(topic, "received", "id-" + i);
      step(topic, "ended", "id-" + i);
      sent += 2;
    }
    List<ConsumerRecord<byte[], byte[]>> first =
        await().atMost(PATIENCE).until(() -> read(port), records -> records.size() == 200);
    assertThat(topic.dropped()).isZero();
    assertOrder(first);

    kafka.stop();
    for (int i = 0; i < FLOOD; i++) {
      step(topic, "received", "flood-" + i);
      sent++;
    }
    // The receiver is gone, the tasks went on: nothing but the count says so.
    await().atMost(PATIENCE).until(() -> topic.dropped() > 0);

    try (EmbeddedKafka again = EmbeddedKafka.startOnPort(dir, port)) {
      await()
          .atMost(PATIENCE)
          .until(() -> {
            step(topic, "received", "last");
            return read(port).stream().anyMatch(record -> id(record).equals("last"));
          });
      topic.stop();
      List<ConsumerRecord<byte[], byte[]>> all = read(port);
      long last = all.stream().filter(record -> id(record).equals("last")).count();
      long steps = all.stream().filter(record -> record.key() != null).count() - last;
      long missing = all.stream().mapToLong(record -> json(record).path("missing").asLong(0)).sum();
      assertThat(missing).isPositive();
      assertThat(steps + missing).isBetween((long) sent, (long) sent + 100);
      assertThat(missing).isEqualTo(topic.dropped());
      assertThat(again.port()).isEqualTo(port);
    }
  }

  private static void step(TaskStepTopic topic, String step, String id) {
    topic.step(step, NOW, new Subject(id, "app", "ns", "task", "tasks", 3, 7), "");
  }

  /// Both steps of a task are in one partition, in their order.
  private static void assertOrder(List<ConsumerRecord<byte[], byte[]>> records) {
    Map<String, Integer> partitions = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      if (json(record).path("step").asString().equals("received")) {
        partitions.put(id(record), record.partition());
      } else {
        assertThat(partitions).containsEntry(id(record), record.partition());
      }
    }
  }

  private static String id(ConsumerRecord<byte[], byte[]> record) {
    return record.key() == null ? "" : new String(record.key(), UTF_8);
  }

  private static JsonNode json(ConsumerRecord<byte[], byte[]> record) {
    return JSON.readTree(record.value());
  }

  private static List<ConsumerRecord<byte[], byte[]>> read(int port) {
    var settings = Map.<String, Object>of("bootstrap.servers", "127.0.0.1:" + port);
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          List.of(new TopicPartition("steps", 0), new TopicPartition("steps", 1));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      var records = new ArrayList<ConsumerRecord<byte[], byte[]>>();
      while (partitions.stream()
          .anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
      return records;
    }
  }
}
