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
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Four real processes on one real Postgres, randomly killed, frozen for longer than the Kafka
/// session, and stopped gracefully: G1, G2 and G3 across brokers (H3, H10, H11, H17).
///
/// Each broker pushes to its own worker, which reports to the next broker: no report reaches the
/// broker that delivered the task. Nothing is lost, and no at-most-once task starts twice; other
/// repeated executions are counted.
///
/// `-Dbrokers.tasks=100000` makes it longer, `-Dbrokers.seed=N` determines the faults.
@Timeout(1200)
final class ManyBrokersTest {
  private static final int TASKS = Integer.getInteger("brokers.tasks", 12_000);
  private static final int BROKERS = 4;
  private static final int PARTITIONS = 16;
  private static final Duration RUN_TIME = Duration.ofMillis(100);
  private static final String TOPIC = "tasks";
  private static final String DEAD_LETTERS = "dead-letters";

  private final long seed = Long.getLong("brokers.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final List<BrokerProcess> brokers = new ArrayList<>();
  private final List<PushWorker> workers = new ArrayList<>();
  private final Map<String, Integer> faults = new TreeMap<>();

  @TempDir private Path dir;

  @AfterEach
  void endAll() {
    brokers.forEach(BrokerProcess::close);
    workers.forEach(PushWorker::close);
  }

  @Test
  void g1g2g3NothingIsLostOrRunTwiceThatMayRunOnlyOnceWhileBrokersComeAndGo() throws Exception {
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"));
        var server = PostgresServer.start(Map.of("max_connections", "200"))) {
      PostgresServer.Database database = server.newDatabase();
      kafka.createTopic(TOPIC, PARTITIONS);
      kafka.createTopic(DEAD_LETTERS, 1);
      start(kafka, database);
      var publisher = Thread.ofPlatform().start(() -> publish(kafka));
      disturb();
      publisher.join();
      var dead = new BitSet(TASKS);
      try (var deadLetters = consumer(kafka)) {
        await()
            .alias("every task is completed or dead-lettered, seed " + seed)
            .atMost(Duration.ofMinutes(2))
            .until(() -> isOver(deadLetters, dead));
      }
      for (PushWorker worker : workers) {
        assertThat(worker.awaitIdle(Duration.ofSeconds(60))).isTrue();
      }
      await()
          .alias("nothing is left in the store, seed " + seed)
          .atMost(Duration.ofSeconds(60))
          .until(() -> rows(database) == 0);
      assertRuns(dead);
      for (BrokerProcess broker : brokers) {
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      }
    }
  }

  /// Broker i pushes to worker i, which reports to broker i + 1.
  private void start(EmbeddedKafka kafka, PostgresServer.Database database) throws Exception {
    int[] ports = new int[BROKERS];
    for (int i = 0; i < BROKERS; i++) {
      ports[i] = Ports.free();
    }
    for (int i = 0; i < BROKERS; i++) {
      workers.add(
          PushWorker.start(
              WorkerOptions.of("127.0.0.1:" + ports[(i + 1) % BROKERS]).withConcurrency(TASKS),
              Behaviour.completing(RUN_TIME),
              log));
    }
    for (int i = 0; i < BROKERS; i++) {
      brokers.add(BrokerProcess.start(launch(kafka, database, i, ports[i])));
    }
    for (BrokerProcess broker : brokers) {
      broker.awaitServing(Duration.ofSeconds(60));
    }
  }

  /// Injects one fault after another until most of the tasks are completed.
  private void disturb() throws Exception {
    while (log.completedTasks() < TASKS - TASKS / 10) {
      int before = log.completedTasks();
      int each = TASKS / 12;
      await()
          .alias("tasks are completed, seed " + seed)
          .atMost(Duration.ofSeconds(90))
          .until(() -> log.completedTasks() >= Math.min(before + each, TASKS - TASKS / 10));
      int victim = random.nextInt(BROKERS);
      switch (random.nextInt(3)) {
        case 0 -> {
          count("SIGKILL");
          brokers.get(victim).kill();
          restart(victim);
        }
        case 1 -> {
          count("SIGTERM");
          assertThat(brokers.get(victim).stop(Duration.ofSeconds(30))).isZero();
          restart(victim);
        }
        default -> {
          count("SIGSTOP, SIGCONT");
          brokers.get(victim).freeze();
          pause(Duration.ofSeconds(1 + random.nextInt(13)));
          brokers.get(victim).thaw();
        }
      }
    }
  }

  private void restart(int broker) throws Exception {
    brokers.set(broker, brokers.get(broker).restart().awaitServing(Duration.ofSeconds(60)));
  }

  /// The duration is part of the fault: the Kafka session is 6 s, a lease 10 s.
  private static void pause(Duration time) {
    await().pollDelay(time).atMost(time.plusSeconds(60)).until(() -> true);
  }

  private void count(String fault) {
    faults.merge(fault, 1, Integer::sum);
  }

  private void assertRuns(BitSet dead) {
    int repeated = 0;
    for (int task = 0; task < TASKS; task++) {
      if (isAtMostOnce(task)) {
        assertThat(log.starts(task))
            .as("runs of at-most-once task %d, seed %d", task, seed)
            .isLessThan(2);
      } else {
        assertThat(log.starts(task)).as("runs of task %d, seed %d", task, seed).isPositive();
        assertThat(dead.get(task)).as("task %d is dead-lettered, seed %d", task, seed).isFalse();
      }
      repeated += Math.max(0, log.starts(task) - 1);
    }
    System.out.printf(
        "%d tasks, %d brokers, %s: %d runs repeated, %d at-most-once tasks dead-lettered (seed"
            + " %d)%n",
        TASKS, BROKERS, faults, repeated, dead.cardinality(), seed);
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
        if (task % 100 == 0) {
          // The rate leaves time for many faults.
          LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
        }
      }
      producer.flush();
    }
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

  private static int rows(PostgresServer.Database database) throws SQLException {
    try (var connection = database.connect();
        var statement = connection.createStatement();
        var count = statement.executeQuery("SELECT count(*) FROM inflight_taskactivations")) {
      count.next();
      return count.getInt(1);
    }
  }

  private static String pg(PostgresServer.Database database) {
    return "{host: %s, port: %d, username: %s, password: %s, database_name: %s, run_migrations: true}"
        .formatted(
            database.host(),
            database.port(),
            database.username(),
            database.password(),
            database.name());
  }

  private BrokerLaunch launch(
      EmbeddedKafka kafka, PostgresServer.Database database, int number, int port)
      throws Exception {
    Path config =
        Files.writeString(
            dir.resolve("config-" + number + ".yaml"),
            """
            delivery_mode: push
            worker_map: {app: "%s"}
            grpc_addr: 127.0.0.1
            grpc_port: %d
            metrics_addr: "127.0.0.1:0"
            kafka_auto_offset_reset: earliest
            kafka_deadletter_topic: %s
            kafka_session_timeout_ms: 6000
            upkeep_deadline_reset_skip_after_startup_sec: 3
            store:
              adapter: postgres
              max_pending_count: 4000
              max_processing_count: 4000
              pg: %s
            kafka_clusters: {main: {address: "%s"}}
            kafka_topics:
              %s: {cluster: main, consumer_group: workers}
              %s: {cluster: main, consumer_group: workers, produce_only: true}
            """
                .formatted(
                    workers.get(number).url(),
                    port,
                    DEAD_LETTERS,
                    pg(database),
                    kafka.bootstrap(),
                    TOPIC,
                    DEAD_LETTERS));
    return BrokerLaunch.ofThisClassPath(config, port, dir.resolve("broker-" + number + ".log"))
        .withJvmOptions("-Xmx256m");
  }
}
