package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A flipped bit on a Kafka disk, with a real process: the partition stops before the damaged
/// record, across a kill, and the others go on, until an operator skips the record (G1, G8, G9).
@Timeout(240)
final class DamagedRecordTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Tasks per partition; those of partition 0 are even.
  private static final int EACH = 10;

  private static final int DAMAGED = 6;
  private static final int LATER = 2 * EACH;

  private final ExecutionLog log = new ExecutionLog(2 * EACH + 2);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);

  @TempDir private Path dir;

  @Test
  void g8OnlyThePartitionWaitsWhoseRecordIsDamaged() throws Exception {
    Path data = dir.resolve("kafka");
    try (var kafka = EmbeddedKafka.start(data);
        var view = new KafkaView(kafka.bootstrap());
        var worker =
            PushWorker.start(
                WorkerOptions.of("127.0.0.1:1"), Behaviour.completing(Duration.ZERO), log)) {
      BrokerSetup setup = BrokerSetup.push(dir, "damaged", kafka.bootstrap(), worker.url());
      view.createTopics(setup, 2);
      for (int task = 0; task < 2 * EACH; task++) {
        publish(view, setup, task);
      }
      flip(data.resolve(setup.topic() + "-0"), "id-of-" + DAMAGED);

      try (var broker = setup.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> log.starts() == EACH + DAMAGED / 2);
        awaitLine(setup, 1);
        broker.kill();
      }
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        awaitLine(setup, 2);
        publish(view, setup, LATER + 1);
        await().atMost(PATIENCE).until(() -> log.starts(LATER + 1) == 1);
        broker.awaitServing(PATIENCE);
        assertThat(view.committedOf(setup, setup.topic())).isLessThanOrEqualTo(DAMAGED / 2);

        giveUp(kafka, setup);
        publish(view, setup, LATER);
        await().atMost(PATIENCE).until(() -> log.starts(LATER) > 0);
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      }
      assertThat(IntStream.range(0, log.tasks()).filter(task -> log.starts(task) == 0))
          .as("tasks that never ran")
          .containsExactly(DAMAGED);
      assertThat(view.published(setup.deadLetters())).isZero();
    }
  }

  private void publish(KafkaView view, BrokerSetup setup, int task) throws Exception {
    byte[] bytes = template.task(task).setId("id-of-" + task).build().toByteArray();
    view.publish(setup.topic(), task % 2, bytes);
  }

  private static void awaitLine(BrokerSetup setup, int times) {
    String words = "Partition " + setup.topic() + "-0 stands still at offset " + DAMAGED / 2;
    await()
        .atMost(PATIENCE)
        .untilAsserted(() ->
            assertThat(setup.output())
                .filteredOn(line -> line.contains(" ERROR ") && line.contains(words))
                .hasSize(times));
  }

  /// Flips a bit behind the given text in the only segment of a partition.
  private static void flip(Path partition, String text) throws IOException {
    Path segment = partition.resolve("00000000000000000000.log");
    try (var file = new RandomAccessFile(segment.toFile(), "rw")) {
      byte[] bytes = new byte[(int) file.length()];
      file.readFully(bytes);
      int at = new String(bytes, ISO_8859_1).indexOf(text) + text.length();
      assertThat(at).isGreaterThan(text.length());
      file.seek(at);
      file.write(bytes[at] ^ 1);
    }
  }

  private static void giveUp(EmbeddedKafka kafka, BrokerSetup setup) throws Exception {
    try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()))) {
      admin
          .deleteRecords(
              Map.of(
                  new TopicPartition(setup.topic(), 0),
                  RecordsToDelete.beforeOffset(DAMAGED / 2 + 1)))
          .all()
          .get();
    }
  }
}
