package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The real process, killed under load: G1, G2 and G3 across crashes.
///
/// 20,000 tasks of 100 ms pass through real Kafka and a real broker process that is killed five
/// times by SIGKILL. A task whose report was acknowledged never runs again; a task that runs again
/// was running or being reported at a kill. An at-most-once task runs once or is dead-lettered.
@Timeout(600)
final class KillTest {
  private static final int TASKS = 20_000;
  private static final int KILLS = 5;
  private static final int PARTITIONS = 4;
  private static final Duration RUN_TIME = Duration.ofMillis(100);
  private static final String TOPIC = "tasks";
  private static final String DEAD_LETTERS = "dead-letters";

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final int[] startsWhenCompleted = new int[TASKS];

  @TempDir private Path dir;
  private @Nullable BrokerProcess broker;

  @AfterEach
  void killTheLastOne() {
    if (broker != null) {
      broker.close();
    }
  }

  @Test
  void g1g2g3NothingIsLostOrDoneTwiceWhenTheProcessIsKilledFiveTimes() throws Exception {
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"))) {
      kafka.createTopic(TOPIC, PARTITIONS);
      kafka.createTopic(DEAD_LETTERS, 1);
      int port = Ports.free();
      try (var worker =
          PushWorker.start(
              WorkerOptions.of("127.0.0.1:" + port).withConcurrency(TASKS),
              Behaviour.completing(RUN_TIME),
              log)) {
        broker = BrokerProcess.start(launch(kafka, worker, port));
        broker.awaitServing(Duration.ofSeconds(60));
        var publisher = Thread.ofPlatform().start(() -> publish(kafka));
        for (int kill = 1; kill <= KILLS; kill++) {
          awaitCompleted(TASKS * kill / (KILLS + 1) + random.nextInt(TASKS / 20));
          var completed = completedTasks();
          broker.kill();
          await().atMost(Duration.ofSeconds(60)).until(() -> worker.connections() == 0);
          completed.stream().forEach(task -> startsWhenCompleted[task] = log.starts(task));
          broker = broker.restart().awaitServing(Duration.ofSeconds(60));
        }
        publisher.join();
        var dead = new BitSet(TASKS);
        try (var deadLetters = consumer(kafka)) {
          await()
              .alias("every task is completed or dead-lettered, seed " + seed)
              .atMost(Duration.ofMinutes(3))
              .until(() -> isOver(deadLetters, dead));
        }
        assertThat(worker.awaitIdle(Duration.ofSeconds(60))).isTrue();
        await().atMost(Duration.ofSeconds(60)).until(() -> rowsInStore() == 0);
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertCommitted(kafka));
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
        assertRuns(dead);
      }
    }
  }

  private void assertRuns(BitSet dead) {
    int repeated = 0;
    int again = 0;
    for (int task = 0; task < TASKS; task++) {
      if (isAtMostOnce(task)) {
        assertThat(log.starts(task)).as("runs of at-most-once task %d", task).isLessThan(2);
      } else {
        assertThat(log.starts(task)).as("runs of task %d", task).isPositive();
        assertThat(dead.get(task)).as("task %d is dead-lettered", task).isFalse();
      }
      repeated += Math.max(0, log.starts(task) - 1);
      again += startsWhenCompleted[task] == 0 ? 0 : log.starts(task) - startsWhenCompleted[task];
    }
    assertThat(again).as("runs of tasks that were completed before a kill, seed %d", seed).isZero();
    System.out.printf(
        "%d tasks, %d kills: %d runs repeated, all of them running or being reported at a kill;"
            + " %d at-most-once tasks dead-lettered (seed %d)%n",
        TASKS, KILLS, repeated, dead.cardinality(), seed);
  }

  private static boolean isAtMostOnce(int task) {
    return task % 20 == 7;
  }

  private void publish(EmbeddedKafka kafka) {
    var template = new TaskTemplate("app", "test", "test.sleep", 400, seed);
    try (var producer = new TaskProducer(kafka.bootstrap(), TOPIC, log)) {
      for (int task = 0; task < TASKS; task++) {
        TaskActivation.Builder activation = template.task(task);
        if (isAtMostOnce(task)) {
          activation
              .setProcessingDeadlineDuration(2)
              .getRetryStateBuilder()
              .setAtMostOnce(true)
              .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
        }
        producer.send(task, activation.build());
      }
      producer.flush();
    }
  }

  /// Tasks with acknowledged completion, which must not run again.
  private BitSet completedTasks() {
    var completed = new BitSet(TASKS);
    for (int task = 0; task < TASKS; task++) {
      completed.set(task, log.completedAt(task) != ExecutionLog.NEVER);
    }
    return completed;
  }

  private void awaitCompleted(int tasks) {
    await()
        .alias(tasks + " tasks completed, seed " + seed)
        .pollInterval(Duration.ofMillis(1))
        .atMost(Duration.ofSeconds(60))
        .until(() -> log.completedTasks() >= tasks);
  }

  private boolean isOver(KafkaConsumer<byte[], byte[]> deadLetters, BitSet dead) throws Exception {
    for (var message : deadLetters.poll(Duration.ofMillis(50))) {
      dead.set(TaskTemplate.numberOf(TaskActivation.parseFrom(message.value())));
    }
    if (log.completedTasks() + dead.cardinality() < TASKS) {
      return false;
    }
    for (int task = 0; task < TASKS; task++) {
      if (log.completedAt(task) == ExecutionLog.NEVER && !dead.get(task)) {
        return false;
      }
    }
    return true;
  }

  private static KafkaConsumer<byte[], byte[]> consumer(EmbeddedKafka kafka) {
    var consumer =
        new KafkaConsumer<>(
            Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    var partition = new TopicPartition(DEAD_LETTERS, 0);
    consumer.assign(List.of(partition));
    consumer.seekToBeginning(List.of(partition));
    return consumer;
  }

  private int rowsInStore() throws SQLException {
    try (var connection =
            DriverManager.getConnection("jdbc:sqlite:" + dir.resolve("store.sqlite"));
        var statement = connection.createStatement();
        var count = statement.executeQuery("SELECT count(*) FROM inflight_taskactivations")) {
      return count.getInt(1);
    }
  }

  /// Asserts that the group's offsets are the ends of all partitions.
  private static void assertCommitted(EmbeddedKafka kafka) throws Exception {
    try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()))) {
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin.listConsumerGroupOffsets("workers").partitionsToOffsetAndMetadata().get();
      assertThat(committed).hasSize(PARTITIONS);
      for (var entry : committed.entrySet()) {
        TopicPartition partition = entry.getKey();
        long end =
            admin
                .listOffsets(Map.of(partition, OffsetSpec.latest()))
                .partitionResult(partition)
                .get()
                .offset();
        assertThat(entry.getValue().offset()).as(partition.toString()).isEqualTo(end);
      }
    }
  }

  private BrokerLaunch launch(EmbeddedKafka kafka, PushWorker worker, int port) throws Exception {
    Path config =
        Files.writeString(
            dir.resolve("config.yaml"),
            """
            delivery_mode: push
            worker_map: {app: "%s"}
            grpc_addr: 127.0.0.1
            grpc_port: %d
            kafka_auto_offset_reset: earliest
            kafka_deadletter_topic: %s
            upkeep_deadline_reset_skip_after_startup_sec: 3
            store: {sqlite: {path: "%s"}, max_pending_count: 4000, max_processing_count: 4000}
            kafka_clusters: {main: {address: "%s"}}
            kafka_topics:
              %s: {cluster: main, consumer_group: workers}
              %s: {cluster: main, consumer_group: workers, produce_only: true}
            """
                .formatted(
                    worker.url(),
                    port,
                    DEAD_LETTERS,
                    dir.resolve("store.sqlite"),
                    kafka.bootstrap(),
                    TOPIC,
                    DEAD_LETTERS));
    return BrokerLaunch.ofThisClassPath(config, port, dir.resolve("broker.log"));
  }
}
