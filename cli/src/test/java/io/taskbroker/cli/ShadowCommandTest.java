package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.TaskTemplate;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Shadow reading of topics of a real Kafka, and what it leaves untouched.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class ShadowCommandTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 0, 24);
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path dir;

  @Test
  void everyRecordGetsItsVerdictAndNothingIsTouched(KafkaView view) throws Exception {
    Path rules = dir.resolve("rules.yaml");
    Files.writeString(
        rules,
        "drop_task_killswitch: [off]\ndemoted_namespaces: [slow]\ndemoted_topic: elsewhere\n");
    BrokerSetup setup =
        BrokerSetup.push(dir, "shadow", view.bootstrap(), "http://127.0.0.1:1")
            .with("runtime_config_path", rules.toString());
    setup.writeConfig();
    view.createTopics(setup, 1);
    long now = Instant.now().getEpochSecond();
    TaskActivation.Builder once = template.task(1);
    once.getRetryStateBuilder().setAtMostOnce(true);
    TaskActivation.Builder twice = template.task(0);
    for (TaskActivation.Builder task :
        List.of(
            twice,
            once,
            template.task(2).setDelay(60),
            template.task(3).setDelay(86_400),
            twice,
            template.task(5).setApplication("other"),
            template
                .task(6)
                .setReceivedAt(TaskTemplate.timestamp(Instant.ofEpochSecond(now - 100)))
                .setExpires(1),
            template.task(7).setTaskname("off"),
            template.task(8).setNamespace("slow"))) {
      view.publish(setup.topic(), task.build().toByteArray());
    }
    view.publish(setup.topic(), new byte[] {1, 2, 3});

    assertThat(shadow(setup, "--from", "EARLIEST", "-o", "json")).as(err.toString()).isEqualTo(3);
    assertThat(out.toString())
        .contains("\"records\":10", "\"differs\":true", "\"at_most_once\":1")
        .contains("\"deliver\":{\"records\":2,\"first\":\"partition 0, offset 0: ")
        .contains("\"delay\":{\"records\":1,", "\"delay_clamped\":{\"records\":1,")
        .contains("\"duplicate\":{\"records\":1,\"first\":\"partition 0, offset 4: ")
        .contains("\"no_worker\":{\"records\":1,", "\"expired\":{\"records\":1,")
        .contains("\"switched_off\":{\"records\":1,", "\"demoted\":{\"records\":1,")
        .contains("\"undecodable\":{\"records\":1,\"first\":\"partition 0, offset 9: not a");
    assertThat(view.committed(setup)).isEmpty();
    assertThat(view.published(setup.deadLetters())).isZero();
    assertThat(setup.store()).doesNotExist();
  }

  @Test
  void beginsWhereTheGroupStandsAndGoesOnForTheGivenTime(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "shadow-group", view.bootstrap());
    view.createTopics(setup, 1);
    view.publish(setup.topic(), template.task(0).build().toByteArray());
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(view.committedOf(setup, setup.topic())).isEqualTo(1));
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
    view.publish(setup.topic(), template.task(1).build().toByteArray());

    assertThat(shadow(setup, "--minutes", "0.02")).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains("1 records read")
        .contains("deliver: this broker delivers it; so does the reference");
  }

  @Test
  void aMissingTopicIsNamed(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "shadow-none", view.bootstrap());
    setup.writeConfig();
    assertThat(shadow(setup)).isEqualTo(1);
    assertThat(err.toString())
        .contains("Topic shadow-none-tasks does not exist at " + view.bootstrap());
  }

  private int shadow(BrokerSetup setup, String... more) {
    var words = new ArrayList<>(List.of("shadow", "-c", setup.config().toString()));
    words.addAll(List.of(more));
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(words.toArray(String[]::new));
  }
}
