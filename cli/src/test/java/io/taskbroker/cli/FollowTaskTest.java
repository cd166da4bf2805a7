package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Operator's view of one dead letter: its headers lead to the log lines, and these through all
/// attempts.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class FollowTaskTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int ATTEMPTS = 3;

  private static final String ACCEPTED = "accepted by its worker: ";

  /// A field of a flat object, whose values here need no escapes.
  private static final Pattern FIELD = Pattern.compile("\"(\\w+)\":(?:\"([^\"]*)\"|(-?\\d+))");

  private final ExecutionLog log = new ExecutionLog(100);
  private final TaskTemplate template =
      new TaskTemplate(BrokerSetup.APPLICATION, "payments", "shop.pay", 100, 1);

  @TempDir private Path dir;

  @Test
  void aChainOfRetriesIsFollowedFromItsDeadLetter(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "follow", view.bootstrap());
    try (var worker =
        PushWorker.start(WorkerOptions.of(setup.address()), FollowTaskTest::behave, log)) {
      setup
          .with("delivery_mode", "push")
          .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()))
          .with("log_format", "json")
          .with("log_filter", "info,taskbroker::engine=debug");
      view.createTopics(setup, 1);
      view.publish(setup.topic(), new byte[] {0x0F});
      TaskActivation published = template.deadLettered(0, ATTEMPTS).build();
      view.publish(setup.topic(), published.toByteArray());
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> view.published(setup.deadLetters()) == 2);
        // Republished unchanged, it runs once and is dead-lettered again.
        view.publish(setup.topic(), view.read(setup.deadLetters()).getLast().value());
        await().atMost(PATIENCE).until(() -> view.published(setup.deadLetters()) == 3);
        assertThat(log.starts(0)).isEqualTo(ATTEMPTS + 1);
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      }
      List<ConsumerRecord<byte[], byte[]>> dead = view.read(setup.deadLetters());
      assertDeadLetter(dead.get(1), published, setup);
      assertThat(dead.get(2).value()).isEqualTo(dead.get(1).value());
      assertThat(KafkaView.headers(dead.get(2)))
          .containsEntry("taskbroker-first-id", published.getId())
          .containsEntry("taskbroker-attempts", Integer.toString(ATTEMPTS))
          .containsEntry("taskbroker-offset", "4");
      assertLife(lines(setup), published.getId());
      assertThat(setup.output()).noneMatch(line -> line.contains("Effective configuration"));
      assertThat(lines(setup).getFirst().getOrDefault("message", "").lines())
          .as("the configuration")
          .hasSizeLessThan(10)
          .anyMatch(line -> line.contains("configured by " + setup.config()))
          .anyMatch(line -> line.contains(setup.topic() + " of main as group " + setup.group()));
    }
  }

  /// Two retries, the first delayed, then a failure.
  private static Run behave(TaskActivation activation, int start) {
    // The delay counts from the retry, which a busy machine takes seconds to read.
    int delaySeconds = start == 1 ? 6 : 0;
    return start < ATTEMPTS ? Run.retrying(5, ATTEMPTS, delaySeconds) : Run.failing(5);
  }

  private static void assertDeadLetter(
      ConsumerRecord<byte[], byte[]> dead, TaskActivation published, BrokerSetup setup)
      throws Exception {
    Map<String, String> headers = KafkaView.headers(dead);
    assertThat(headers)
        .containsOnlyKeys(
            "taskbroker-reason",
            "taskbroker-failed-at",
            "taskbroker-topic",
            "taskbroker-partition",
            "taskbroker-offset",
            "taskbroker-first-id",
            "taskbroker-attempts",
            "taskbroker-broker-version")
        .containsEntry("taskbroker-reason", "its worker reported a failure")
        .containsEntry("taskbroker-topic", setup.topic())
        .containsEntry("taskbroker-partition", "0")
        .as("the record of the last attempt")
        .containsEntry("taskbroker-offset", "3")
        .containsEntry("taskbroker-first-id", published.getId())
        .containsEntry("taskbroker-attempts", Integer.toString(ATTEMPTS));
    assertThat(Instant.parse(headers.get("taskbroker-failed-at")))
        .isBetween(Instant.now().minusSeconds(240), Instant.now());
    TaskActivation letter = TaskActivation.parseFrom(dead.value());
    assertThat(letter.getRetryState().getAttempts()).isEqualTo(ATTEMPTS - 1);
    assertThat(letter.getParametersBytes()).isEqualTo(published.getParametersBytes());
  }

  private void assertLife(List<Map<String, String>> all, String firstId) {
    List<Map<String, String>> life =
        new ArrayList<>(
            all.stream()
                .filter(line -> line.containsKey("first_id"))
                .filter(line -> line.getOrDefault("first_id", "").equals(firstId))
                .toList());
    // The worker may report before its answer to the call comes in, and the report may be over
    // then.
    assertThat(life.stream().filter(FollowTaskTest::isAccepted))
        .extracting(line -> line.getOrDefault("attempt", ""))
        .as("attempts, the last one twice")
        .containsExactlyInAnyOrder("1", "2", "3", "3");
    life.removeIf(FollowTaskTest::isAccepted);
    assertThat(life.removeLast().getOrDefault("message", ""))
        .as("the end of what was published again")
        .startsWith("produced to Kafka: ");
    while (!life.getLast().getOrDefault("message", "").startsWith("produced to Kafka: ")) {
      life.removeLast();
    }
    assertThat(life)
        .allSatisfy(line -> {
          assertThat(line.getOrDefault("taskname", "")).isEqualTo("shop.pay");
          assertThat(line.getOrDefault("application", "")).isEqualTo(BrokerSetup.APPLICATION);
          assertThat(line.getOrDefault("namespace", "")).isEqualTo("payments");
        });
    assertThat(life.stream().map(line -> line.getOrDefault("task_id", "")).distinct())
        .hasSize(ATTEMPTS);
    String id = firstId;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      int which = attempt;
      List<String> steps =
          life.stream()
              .filter(line -> line.getOrDefault("attempt", "").equals(Integer.toString(which)))
              .map(line -> line.getOrDefault("message", ""))
              .toList();
      assertThat(steps).as("attempt %d", attempt).first().asString().contains(": " + id);
      assertThat(steps.stream().map(step -> step.substring(0, step.indexOf(':'))))
          .as("attempt %d", attempt)
          .contains("pushed to its worker", "reported by a worker")
          .contains(attempt == 2 ? "its delay is over" : "received")
          .endsWith(attempt < ATTEMPTS ? "retry produced to Kafka" : "produced to Kafka");
      String end =
          steps.stream().filter(step -> step.contains("forwarded to the ")).findFirst().orElse("");
      if (attempt < ATTEMPTS) {
        assertThat(end).contains("forwarded to the retry topic: " + id + " (retry_id=");
        id = end.substring(end.indexOf("retry_id=") + "retry_id=".length(), end.length() - 1);
      } else {
        assertThat(end).contains("failed for good, forwarded to the dead-letter topic: " + id);
      }
    }
  }

  private static boolean isAccepted(Map<String, String> line) {
    return line.getOrDefault("message", "").startsWith(ACCEPTED);
  }

  private List<Map<String, String>> lines(BrokerSetup setup) throws IOException {
    return setup.output().stream().map(FollowTaskTest::fields).toList();
  }

  private static Map<String, String> fields(String line) {
    Map<String, String> fields = new HashMap<>();
    Matcher field = FIELD.matcher(line);
    while (field.find()) {
      fields.put(field.group(1), field.group(2) == null ? field.group(3) : field.group(2));
    }
    return fields;
  }
}
