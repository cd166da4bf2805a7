package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A process with the shipped heap size reads records that are small in Kafka and large in memory,
/// single ones and many (G7, G8).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class InflatingRecordsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int HUGE = 120 << 20;
  private static final int LARGE = 4_900_000; // max_message_size is 5,000,000
  private static final int TASKS = 60; // together larger than the heap

  private final ExecutionLog log = new ExecutionLog(TASKS + 1);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);

  @TempDir private Path dir;

  @Test
  void g7WhatInflatesDoesNotFillTheHeap(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "inflating", view.bootstrap())
            .withJvmOption("-Xmn96m")
            .withJvmOption("-XX:SurvivorRatio=2")
            .withJvmOption("-XX:TargetSurvivorRatio=90");
    view.createTopics(setup, 1);
    publish(view, setup);
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      try (var worker =
          PullWorker.start(
              WorkerOptions.of(setup.address()).withConcurrency(4),
              BrokerSetup.APPLICATION,
              Behaviour.completing(Duration.ofMillis(1)),
              log)) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS + 1);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> assertDeadLetter(view.read(setup.deadLetters()), setup));
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      assertThat(broker.isAlive()).isTrue();
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
    assertThat(setup.output()).noneMatch(line -> line.contains("OutOfMemory"));
    assertThat(log.starts()).as("runs of all tasks").isEqualTo(TASKS + 1);
  }

  private static void assertDeadLetter(
      List<ConsumerRecord<byte[], byte[]>> letters, BrokerSetup setup) {
    assertThat(letters).hasSize(1);
    assertThat(letters.getFirst().value()).isEmpty();
    assertThat(KafkaView.headers(letters.getFirst()))
        .containsEntry("taskbroker-topic", setup.topic())
        .containsEntry("taskbroker-partition", "0")
        .containsEntry("taskbroker-offset", "1")
        .hasEntrySatisfying(
            "taskbroker-reason",
            reason -> assertThat(reason).startsWith("a value of " + HUGE + " bytes is more than"));
  }

  private void publish(KafkaView view, BrokerSetup setup) throws Exception {
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            view.bootstrap(),
            "compression.type",
            "zstd",
            "linger.ms",
            "100",
            "max.request.size",
            HUGE + 1_000,
            "buffer.memory",
            2L * HUGE);
    ByteString zeros = ByteString.copyFrom(new byte[LARGE]);
    try (var producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.send(record(setup, template.task(TASKS).build().toByteArray())).get();
      producer.send(record(setup, new byte[HUGE])).get();
      for (int task = 0; task < TASKS; task++) {
        var _ =
            producer.send(
                record(setup, template.task(task).setParametersBytes(zeros).build().toByteArray()));
      }
      producer.flush();
    }
  }

  private static ProducerRecord<byte[], byte[]> record(BrokerSetup setup, byte[] value) {
    return new ProducerRecord<>(setup.topic(), 0, null, value);
  }
}
