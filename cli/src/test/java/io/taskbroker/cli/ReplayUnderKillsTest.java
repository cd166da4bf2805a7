package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A replay at a set rate by the real command, which is killed once and begun again, while the real
/// broker is killed twice: each dead letter is published once and its task completes (G1, G2). A
/// task whose completion was acknowledged never runs again.
///
/// `-Dreplay.letters=N -Dreplay.rate=N` set the number of dead letters and the rate per second.
final class ReplayUnderKillsTest {
  private static final int LETTERS = Integer.getInteger("replay.letters", 1_200);
  private static final int RATE = Integer.getInteger("replay.rate", 200);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final ExecutionLog log = new ExecutionLog(LETTERS);
  private final int[] startsWhenCompleted = new int[LETTERS];
  private final BitSet ranAtKill = new BitSet(LETTERS);

  @TempDir private Path dir;

  @Test
  @Timeout(600)
  void g1g2AReplayLosesAndDoublesNothingWhileTheBrokerIsKilledTwice() throws Exception {
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"));
        var view = new KafkaView(kafka.bootstrap())) {
      BrokerSetup setup = BrokerSetup.pull(dir, "replay", kafka.bootstrap());
      view.createTopics(setup, 2);
      deadLetters(setup, kafka.bootstrap());
      try (var worker =
          PushWorker.start(
              WorkerOptions.of(setup.address()).withConcurrency(LETTERS),
              Behaviour.completing(Duration.ofMillis(20)),
              log)) {
        setup
            .with("delivery_mode", "push")
            .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()));
        long begun = System.nanoTime();
        BrokerProcess broker = setup.start().awaitServing(PATIENCE);
        BrokerProcess replay = replay(setup, "1");
        try {
          await()
              .atMost(PATIENCE)
              .pollInterval(Duration.ofMillis(20))
              .until(() -> view.published(setup.topic()) >= LETTERS / 10);
          assertThat(replay.isAlive()).as("the first replay still runs").isTrue();
          replay.kill();
          replay = replay(setup, "2");
          awaitCompleted(LETTERS / 5);
          broker = kill(broker, worker);
          awaitCompleted(LETTERS * 2 / 5);
          broker = kill(broker, worker);
          awaitCompleted(LETTERS);
          BrokerProcess last = replay;
          await().atMost(PATIENCE).until(() -> !last.isAlive());
          assertThat(replay.exitCode()).hasValue(0);
          double seconds = (System.nanoTime() - begun) / 1e9;
          assertThat(worker.awaitIdle(PATIENCE)).isTrue();
          await().atMost(PATIENCE).until(() -> setup.rows() == 0);
          assertThat(published(setup, kafka.bootstrap()))
              .as("tasks in the topic, by number")
              .isEqualTo(IntStream.range(0, LETTERS).boxed().toList());
          assertRuns(seconds);
          assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
        } finally {
          replay.close();
          broker.close();
        }
      }
    }
  }

  private void assertRuns(double seconds) {
    int repeated = 0;
    for (int task = 0; task < LETTERS; task++) {
      assertThat(log.completedAt(task)).as("task %d", task).isNotEqualTo(ExecutionLog.NEVER);
      if (startsWhenCompleted[task] > 0) {
        assertThat(log.starts(task))
            .as("runs of task %d, completed before a kill", task)
            .isEqualTo(startsWhenCompleted[task]);
      }
      if (log.starts(task) > 1) {
        assertThat(ranAtKill.get(task)).as("task %d ran at a kill", task).isTrue();
        repeated += log.starts(task) - 1;
      }
    }
    System.out.printf(
        "%,d dead letters at %,d/s in %.1f s, broker killed twice, replay once: lost 0, published"
            + " twice 0; %d runs repeated, of tasks that ran at a kill%n",
        LETTERS, RATE, seconds, repeated);
  }

  private BrokerProcess kill(BrokerProcess broker, PushWorker worker) throws Exception {
    var completed = new BitSet(LETTERS);
    for (int task = 0; task < LETTERS; task++) {
      completed.set(task, log.completedAt(task) != ExecutionLog.NEVER);
    }
    broker.kill();
    await().atMost(PATIENCE).until(() -> worker.connections() == 0);
    for (int task = 0; task < LETTERS; task++) {
      if (completed.get(task)) {
        startsWhenCompleted[task] = log.starts(task);
      } else if (log.starts(task) > 0) {
        ranAtKill.set(task);
      }
    }
    return broker.restart().awaitServing(PATIENCE);
  }

  private void awaitCompleted(int tasks) {
    await()
        .alias(tasks + " tasks completed")
        .pollInterval(Duration.ofMillis(5))
        .atMost(PATIENCE.plusSeconds(LETTERS / RATE))
        .until(() -> log.completedTasks() >= tasks);
  }

  private BrokerProcess replay(BrokerSetup setup, String name) {
    return BrokerProcess.start(
        BrokerLaunch.ofThisClassPath(setup.config(), setup.port(), dir.resolve("replay-" + name))
            .withJvmOptions("-XX:TieredStopAtLevel=1")
            .withProgram(
                "io.taskbroker.cli.Main",
                "dlq",
                "replay",
                "--all",
                "--rate",
                Integer.toString(RATE),
                "-c",
                setup.config().toString()));
  }

  private void deadLetters(BrokerSetup setup, String bootstrap) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 300, 17);
    try (var producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", bootstrap, "linger.ms", 5),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < LETTERS; i++) {
        List<Header> headers =
            List.of(
                header("taskbroker-reason", "a worker reported Failure"),
                header("taskbroker-attempts", "3"),
                header("taskbroker-topic", setup.topic()),
                header("taskbroker-partition", "0"),
                header("taskbroker-offset", Integer.toString(i)));
        byte[] value = template.deadLettered(i, 3).build().toByteArray();
        var _ =
            producer.send(
                new ProducerRecord<>(setup.deadLetters(), null, null, null, value, headers));
      }
    }
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, value.getBytes(UTF_8));
  }

  /// Numbers of the tasks that are committed in the broker's topic, in order.
  private static List<Integer> published(BrokerSetup setup, String bootstrap) throws Exception {
    try (var consumer =
        new KafkaConsumer<>(
            Map.<String, Object>of(
                "bootstrap.servers", bootstrap, "isolation.level", "read_committed"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      var partitions =
          List.of(new TopicPartition(setup.topic(), 0), new TopicPartition(setup.topic(), 1));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      var numbers = new ArrayList<Integer>();
      while (partitions.stream()
          .anyMatch(it -> consumer.position(it) < ends.getOrDefault(it, 0L))) {
        for (var each : consumer.poll(Duration.ofMillis(100))) {
          numbers.add(TaskTemplate.numberOf(TaskActivation.parseFrom(each.value())));
        }
      }
      return numbers.stream().sorted().toList();
    }
  }
}
