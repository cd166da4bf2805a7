package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Invalid messages among valid tasks, in a real process: they go to the dead-letter topic, and
/// affect nothing else (G8, H12, H19).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class BadMessagesTest {
  private static final int MAX_MESSAGE_SIZE = 100_000;
  private static final int MAX_KAFKA_BYTES = 3 << 20;
  private static final int MAX_DEAD_LETTER_BYTES = 2 << 20;

  private final Random random = new Random(42);
  private final ExecutionLog log = new ExecutionLog(100);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
  private final List<BadMessage> bad = new ArrayList<>();
  private int good;

  @TempDir private Path dir;

  /// @param reason expected text in the dead letter
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record BadMessage(byte @Nullable [] value, long offset, String reason) {}

  @Test
  void h19GoodTasksRunAndBadMessagesAreDeadLetters(KafkaView view) throws Exception {
    try (var worker =
        PushWorker.start(
            WorkerOptions.of("127.0.0.1:1"), Behaviour.completing(Duration.ZERO), log)) {
      BrokerSetup setup =
          BrokerSetup.push(dir, "bad-messages", view.bootstrap(), worker.url())
              .with("max_message_size", Integer.toString(MAX_MESSAGE_SIZE));
      view.createTopic(
          setup.topic(), 1, Map.of("max.message.bytes", Integer.toString(MAX_KAFKA_BYTES)));
      view.createTopic(
          setup.deadLetters(),
          1,
          Map.of("max.message.bytes", Integer.toString(MAX_DEAD_LETTER_BYTES)));
      publish(view, setup.topic());
      try (var broker = setup.start().awaitServing(Duration.ofSeconds(60))) {
        await().until(() -> log.starts() >= good);
        await().untilAsserted(() -> assertDeadLetters(view.read(setup.deadLetters()), setup));
        view.publish(setup.topic(), task());
        await().until(() -> log.starts() == good);
        for (int task = 0; task < good; task++) {
          assertThat(log.starts(task)).as("runs of task %d", task).isOne();
        }
        await().untilAsserted(() -> view.assertAllCommitted(setup));
        assertThat(
                setup.inStore(
                    "SELECT count(*) FROM inflight_taskactivations WHERE status = 'Failure'"))
            .as("rows of messages too large for the dead-letter topic")
            .isOne();
        await()
            .untilAsserted(() ->
                assertThat(setup.output())
                    .as("lines about that one")
                    .filteredOn(line -> line.contains("quarantined: Kafka refuses it"))
                    .singleElement()
                    .asString()
                    .contains(setup.deadLetters(), "RecordTooLarge"));
        assertThat(broker.isAlive()).isTrue();
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      }
    }
  }

  private void publish(KafkaView view, String topic) throws Exception {
    good(view, topic);
    bad(view, topic, null, "no value");
    good(view, topic);
    bad(view, topic, new byte[0], "id is empty");
    bad(view, topic, "no protobuf".getBytes(UTF_8), "not a TaskActivation");
    good(view, topic);
    bad(view, topic, random(500), "not a TaskActivation");
    bad(view, topic, template.task(0).setId("a\0b").build().toByteArray(), "U+0000");
    good(view, topic);
    bad(view, topic, large(MAX_MESSAGE_SIZE), "bytes are more than " + MAX_MESSAGE_SIZE);
    good(view, topic);
    bad(view, topic, large(MAX_DEAD_LETTER_BYTES - 10_000), "bytes are more than");
    view.publish(topic, large(MAX_DEAD_LETTER_BYTES));
    good(view, topic);
  }

  private void good(KafkaView view, String topic) throws Exception {
    view.publish(topic, task());
  }

  private byte[] task() {
    return template.task(good++).build().toByteArray();
  }

  private void bad(KafkaView view, String topic, byte @Nullable [] value, String reason)
      throws Exception {
    bad.add(new BadMessage(value, view.published(topic), reason));
    view.publish(topic, value);
  }

  private byte[] random(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    bytes[0] = 0x0F; // not a valid wire type
    return bytes;
  }

  /// A well-formed task of at least this size.
  private byte[] large(int bytes) {
    return new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", bytes, random.nextLong())
        .task(99)
        .build()
        .toByteArray();
  }

  private void assertDeadLetters(List<ConsumerRecord<byte[], byte[]>> letters, BrokerSetup setup) {
    assertThat(letters).hasSameSizeAs(bad);
    for (BadMessage message : bad) {
      ConsumerRecord<byte[], byte[]> letter =
          letters.stream()
              .filter(l ->
                  Long.toString(message.offset)
                      .equals(KafkaView.headers(l).get("taskbroker-offset")))
              .findFirst()
              .orElseThrow();
      assertThat(letter.key()).as("key").isNull();
      assertThat(letter.value())
          .as("value of offset %d", message.offset)
          .isEqualTo(message.value == null ? new byte[0] : message.value);
      assertThat(KafkaView.headers(letter))
          .hasSize(6)
          .containsKeys("taskbroker-failed-at", "taskbroker-broker-version")
          .containsEntry("taskbroker-topic", setup.topic())
          .containsEntry("taskbroker-partition", "0")
          .hasEntrySatisfying(
              "taskbroker-reason", reason -> assertThat(reason).contains(message.reason));
    }
  }
}
