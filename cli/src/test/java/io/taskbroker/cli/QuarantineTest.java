package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The dead-letter topic is missing, and is then renamed: the broker reports it, and an operator
/// retargets the old topic's records to the new one (H19), with a real process.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class QuarantineTest {
  private static final String RENAMED = "quarantine-renamed";
  private static final List<String> PAYLOADS = List.of("one", "two", "three", "four");

  private final int port = Ports.free();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path dir;

  @Test
  void deadLettersForATopicOfBeforeAreSeenAndSentElsewhere(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "quarantine", view.bootstrap())
            .with("metrics_addr", "127.0.0.1:" + port)
            .with("upkeep_task_interval_ms", "100");
    view.createTopic(setup.topic(), 1, Map.of());
    view.createTopic(RENAMED, 1, Map.of("max.message.bytes", "100000"));
    try (var broker = setup.start().awaitServing(Duration.ofSeconds(60))) {
      for (String payload : PAYLOADS) {
        view.publish(setup.topic(), payload.getBytes(UTF_8));
      }
      await().until(() -> setup.rows() == PAYLOADS.size());
      await().untilAsserted(() -> assertMissing(setup));
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
    assertThat(Path.of(setup.store() + ".control")).doesNotExist();
    assertThat(run("quarantine", "list", "-c", setup)).isEqualTo(1);
    assertThat(err.toString()).contains("no broker listens at");

    setup
        .with("kafka_deadletter_topic", RENAMED)
        .with(
            "kafka_topics",
            "{%s: {cluster: main, consumer_group: %s}, %s: {cluster: main, consumer_group: %s, produce_only: true}}"
                .formatted(setup.topic(), setup.group(), RENAMED, setup.group()));
    try (var broker = setup.start().awaitServing(Duration.ofSeconds(60))) {
      await().untilAsserted(() -> assertCounted(setup.deadLetters(), PAYLOADS.size()));
      assertThat(Files.getPosixFilePermissions(Path.of(setup.store() + ".control")))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
      operate(setup, view);
      await().untilAsserted(() -> assertCounted(setup.deadLetters(), 0));
      await()
          .untilAsserted(() ->
              assertThat(get("/metrics"))
                  .contains(
                      "taskbroker_upkeep_cleanup_action_total{kind=\"publish_deadlettered\"} 3.0")
                  .contains("state=\"too_small\",topic=\"" + RENAMED + "\"} 1.0"));
      await()
          .untilAsserted(() ->
              assertThat(get("/health"))
                  .startsWith("ready\n")
                  .contains("Topic " + RENAMED, "takes messages of 100,000 bytes only"));
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
    assertThat(setup.rows()).isZero();
  }

  private void operate(BrokerSetup setup, KafkaView view) throws Exception {
    assertThat(run("quarantine", "list", "-c", setup)).isZero();
    List<String> lines = out.toString().lines().toList();
    assertThat(lines).hasSize(1 + PAYLOADS.size());
    String[] first = lines.get(1).split("\t", -1);
    assertThat(first[0]).startsWith("undecodable:" + setup.topic() + ":0:0:");
    assertThat(first[3]).isEqualTo("dead letter");
    assertThat(first[4]).isEqualTo(setup.deadLetters());
    assertThat(first[5]).isEqualTo("3");
    assertThat(first[8]).contains("is not in kafka_topics");

    assertThat(run("quarantine", "release", "--all", "-c", setup)).isZero();
    assertThat(err.toString()).contains("4 of 4 retried");
    await().untilAsserted(() -> assertCounted(setup.deadLetters(), PAYLOADS.size()));

    assertThat(run("quarantine", "discard", first[0], "-c", setup)).isEqualTo(2);
    assertThat(run("quarantine", "retarget", "--to", RENAMED, "-c", setup)).isEqualTo(2);
    assertThat(run("quarantine", "retarget", "--all", "--to", "nowhere", "-c", setup)).isOne();
    assertThat(err.toString()).contains("'nowhere' is not in kafka_topics");
    assertThat(setup.rows()).isEqualTo(PAYLOADS.size());

    assertThat(run("quarantine", "discard", first[0], "--for-good", "-c", setup)).isZero();
    await().until(() -> setup.rows() == PAYLOADS.size() - 1);
    assertThat(
            run(
                "quarantine",
                "retarget",
                "--topic",
                setup.deadLetters(),
                "--to",
                RENAMED,
                "-c",
                setup))
        .isZero();
    await().until(() -> setup.rows() == 0);
    assertThat(view.read(RENAMED))
        .extracting(message -> new String(message.value(), UTF_8))
        .containsExactlyInAnyOrder("two", "three", "four");
    assertThat(setup.output())
        .anyMatch(line -> line.contains("Operator command: RETARGET"))
        .anyMatch(line -> line.contains("discarded") && line.contains(first[0]));
  }

  private void assertMissing(BrokerSetup setup) throws Exception {
    assertThat(get("/health"))
        .startsWith("ready\n")
        .contains("Topic " + setup.deadLetters(), "does not exist", "kafka_deadletter_topic");
    assertThat(get("/metrics"))
        .contains("state=\"missing\",topic=\"" + setup.deadLetters() + "\"} 1.0");
    assertThat(setup.output())
        .anyMatch(line -> line.contains("ERROR") && line.contains("for dead letters, does not"));
  }

  private void assertCounted(String topic, int number) throws Exception {
    assertThat(get("/metrics").lines())
        .contains(
            "taskbroker_inflight_quarantined_tasks %d.0".formatted(number),
            "taskbroker_inflight_quarantined_tasks_by_topic{topic=\"%s\"} %d.0"
                .formatted(topic, number));
  }

  private String get(String path) throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
      return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
  }

  /// Runs a command line; a set-up stands for its configuration file.
  private int run(Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    String[] words = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      words[i] =
          args[i] instanceof BrokerSetup setup ? setup.config().toString() : (String) args[i];
    }
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(words);
  }
}
