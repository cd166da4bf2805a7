package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The rules file changes while the real process runs: switched-off tasks are removed and block no
/// offset (G5, W28), demoted ones go to another cluster (G4), and an invalid file keeps the
/// previous rules, also across a restart (H22).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class RulesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String LONG = "rules-long";

  /// Tasks per kind and round.
  private static final int EACH = 20;

  /// Outcome of a task under the rules, by its number.
  private enum Kind {
    RUNS,
    SWITCHED_OFF,
    SWITCHED_OFF_BY_ARGUMENT,
    DELAYED_AND_SWITCHED_OFF,
    DEMOTED;

    static Kind of(int task) {
      return values()[task % values().length];
    }
  }

  private static final int ROUND = EACH * Kind.values().length;

  private final ExecutionLog log = new ExecutionLog(3 * ROUND);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
  private final List<ByteString> demoted = new ArrayList<>();

  @TempDir private Path dir;

  @Test
  void rulesHoldAsSoonAsTheyAreWrittenAndUntilOthersAreGood(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "rules", view.bootstrap())
            .with("runtime_config_path", '"' + file().toString() + '"')
            .with("kafka_long_topic", LONG);
    view.createTopics(setup, 2);
    write("drop_task_killswitch: []\ndemoted_namespaces: []");
    try (var far = EmbeddedKafka.start(dir.resolve("far"));
        var farView = new KafkaView(far.bootstrap());
        var broker = setup.start().awaitServing(PATIENCE)) {
      far.createTopic(LONG, 1);

      publish(view, setup, 0);
      await().atMost(PATIENCE).until(() -> setup.rows() == ROUND);
      write(
          """
          drop_task_killswitch:
            - bad
            - {name: picky, select_arg: {0: 8}, select_kwarg: {organization: 7}}
          demoted_namespaces: [slow]
          demoted_topic_cluster: "%s"
          """
              .formatted(far.bootstrap()));
      await().atMost(PATIENCE).until(() -> setup.rows() == EACH);
      await().atMost(PATIENCE).until(() -> farView.published(LONG) == EACH);
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));

      write("demoted_namespaces: [");
      await().atMost(PATIENCE).until(() -> countInOutput(setup, "not valid YAML") == 1);
      publish(view, setup, ROUND);
      await().atMost(PATIENCE).until(() -> setup.rows() == 2 * EACH);
      await().atMost(PATIENCE).until(() -> farView.published(LONG) == 2 * EACH);
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));

      broker.kill();
      try (var again = setup.startAsIs().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> countInOutput(setup, "the last good ones") == 2);
        publish(view, setup, 2 * ROUND);
        assertRest(view, setup, farView);
        assertThat(again.stop(Duration.ofSeconds(30))).isZero();
      }
    }
  }

  /// Asserts that only the expected tasks ran, and all others ended as expected.
  private void assertRest(KafkaView view, BrokerSetup setup, KafkaView farView) throws Exception {
    try (var worker =
        PullWorker.start(
            WorkerOptions.of(setup.address()).withConcurrency(4),
            BrokerSetup.APPLICATION,
            Behaviour.completing(Duration.ofMillis(1)),
            log)) {
      await().atMost(PATIENCE).until(() -> log.completedTasks() == 3 * EACH);
      await().atMost(PATIENCE).until(() -> setup.rows() == 0);
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
    }
    for (int task = 0; task < log.tasks(); task++) {
      assertThat(log.starts(task))
          .as("runs of task %d: %s", task, Kind.of(task))
          .isEqualTo(Kind.of(task) == Kind.RUNS ? 1 : 0);
    }
    assertThat(farView.read(LONG))
        .extracting(record -> ByteString.copyFrom(record.value()))
        .containsExactlyInAnyOrderElementsOf(demoted);
    assertThat(view.published(setup.deadLetters())).isZero();
  }

  private void publish(KafkaView view, BrokerSetup setup, int from) {
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = from; task < from + ROUND; task++) {
        TaskActivation activation = task(task);
        producer.send(task, activation);
        if (Kind.of(task) == Kind.DEMOTED) {
          demoted.add(activation.toByteString());
        }
      }
      producer.flush();
    }
  }

  private TaskActivation task(int number) {
    TaskActivation.Builder task = template.task(number);
    // {"args": [1], "kwargs": {"organization": 7}}, and another organization for tasks that run.
    boolean selected = Kind.of(number) == Kind.SWITCHED_OFF_BY_ARGUMENT;
    task.setParametersBytes(
        ByteString.copyFrom(
            HexFormat.of()
                .parseHex(
                    "82a4617267739101a66b776172677381ac6f7267616e697a6174696f6e"
                        + (selected ? "07" : "06"))));
    switch (Kind.of(number)) {
      case RUNS, SWITCHED_OFF_BY_ARGUMENT -> task.setTaskname("picky");
      case SWITCHED_OFF -> task.setTaskname("bad");
      case DELAYED_AND_SWITCHED_OFF -> task.setTaskname("bad").setDelay(3_000);
      case DEMOTED -> task.setNamespace("slow");
    }
    return task.build();
  }

  private Path file() {
    return dir.resolve("rules.yaml");
  }

  private void write(String rules) throws IOException {
    Path fresh = Files.writeString(dir.resolve("fresh"), rules);
    Files.move(fresh, file(), StandardCopyOption.ATOMIC_MOVE);
  }

  private static long countInOutput(BrokerSetup setup, String text) throws IOException {
    return setup.output().stream().filter(line -> line.contains(text)).count();
  }
}
