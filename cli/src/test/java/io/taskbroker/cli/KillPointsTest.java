package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.cli.KillPoints.Point;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The real process is killed at chosen points under load: inside a transaction, before and after a
/// commit, before and after a record is produced or an offset committed, at the n-th occurrence;
/// meanwhile Kafka goes down and comes back. At any points, each task has run or is a dead letter,
/// and at-most-once tasks ran at most once (G1 to G4).
///
/// `-Dkill.rounds=N` sets the number of rounds, `-Dkill.seed=SEED` repeats the points of a run.
final class KillPointsTest {
  private static final int ROUNDS = Integer.getInteger("kill.rounds", Point.values().length);
  private static final int A_ROUND = 200;
  private static final int TASKS = (ROUNDS + 1) * A_ROUND;

  /// Lease of a claim: an at-most-once task that was claimed and not sent fails when it ends.
  private static final Duration LEASE = Duration.ofSeconds(70);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final long seed = Long.getLong("kill.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final int kafkaPort = Ports.free();
  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final TaskTemplate template =
      new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 300, seed);
  private int published;

  @TempDir private Path dir;

  @Test
  @Timeout(3600)
  void g1g2g3g4NothingIsLostAtAnyKillPoint() throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "points", "127.0.0.1:" + kafkaPort);
    EmbeddedKafka kafka = startKafka();
    try (var worker =
        PushWorker.start(
            WorkerOptions.of(setup.address()).withConcurrency(500), KillPointsTest::behave, log)) {
      setup
          .with("delivery_mode", "push")
          // An at-most-once task marked at the kill ends this much later.
          .with("upkeep_deadline_reset_skip_after_startup_sec", "5")
          .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()));
      try (var view = new KafkaView(kafka.bootstrap())) {
        view.createTopics(setup, 2);
      }
      for (int round = 0; round < ROUNDS; round++) {
        Point point = points().get(round % Point.values().length);
        int times = 1 + random.nextInt(mostTimes(point));
        publish(kafka);
        try (BrokerProcess broker = setup.startWith(KillPoints.option(dir, point, times))) {
          if (round % 3 == 1) {
            // A short outage at a random time.
            int tasks = published - random.nextInt(A_ROUND);
            await()
                .atMost(PATIENCE)
                .until(() -> log.completedTasks() > tasks * 6 / 10 || !broker.isAlive());
            kafka.close();
            kafka = startKafka();
          }
          await()
              .alias("the end at " + point + " " + times + ", seed " + seed)
              .atMost(PATIENCE)
              .until(() -> !broker.isAlive());
          assertThat(broker.exitCode()).as(point + " " + times).hasValue(137);
        }
      }
      publish(kafka);
      try (BrokerProcess broker = setup.start();
          var view = new KafkaView(kafka.bootstrap())) {
        var dead = new TreeSet<Integer>();
        await()
            .alias("every task is done, seed " + seed)
            .atMost(PATIENCE.plus(LEASE))
            .untilAsserted(() -> {
              dead.addAll(view.deadTasks(setup));
              assertThat(log.incomplete()).isSubsetOf(dead);
            });
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(setup.left()).isEmpty());
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        assertRuns(dead);
        int exitCode = broker.stop(Duration.ofSeconds(30));
        assertThat(exitCode).as("%s", setup.exitReasons()).isZero();
      }
    } finally {
      kafka.close();
    }
  }

  private void assertRuns(Set<Integer> dead) {
    int again = 0;
    for (int task = 0; task < TASKS; task++) {
      if (kind(task) == Kind.ONCE) {
        assertThat(log.starts(task)).as("task %d, seed %d", task, seed).isLessThan(2);
      } else {
        assertThat(log.starts(task)).as("task %d, seed %d", task, seed).isPositive();
        assertThat(dead.contains(task))
            .as("whether task %d is dead, seed %d", task, seed)
            .isEqualTo(kind(task) == Kind.FAILING);
      }
      again += Math.max(0, log.starts(task) - (kind(task) == Kind.RETRIED ? 2 : 1));
    }
    System.out.printf(
        "%d tasks, %d ends at chosen points: %d runs repeated (seed %d)%n",
        TASKS, ROUNDS, again, seed);
  }

  /// All points, in an order that follows from the seed.
  private List<Point> points() {
    var points = new ArrayList<>(List.of(Point.values()));
    Collections.shuffle(points, new Random(seed));
    return points;
  }

  /// Number of times that a point is certainly reached in a round.
  private static int mostTimes(Point point) {
    return switch (point) {
      case STATEMENT -> 300;
      case BEFORE_COMMIT, AFTER_COMMIT -> 12;
      case BEFORE_PRODUCE, AFTER_PRODUCE -> 15;
      case BEFORE_OFFSET_COMMIT, AFTER_OFFSET_COMMIT -> 1;
    };
  }

  private EmbeddedKafka startKafka() {
    return EmbeddedKafka.startOnPort(dir.resolve("kafka"), kafkaPort);
  }

  private void publish(EmbeddedKafka kafka) {
    try (var producer = new TaskProducer(kafka.bootstrap(), "points-tasks", log)) {
      for (int i = 0; i < A_ROUND; i++) {
        int task = published++;
        TaskActivation.Builder activation = template.deadLettered(task, 3);
        if (kind(task) == Kind.ONCE) {
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

  private static Run behave(TaskActivation activation, int start) {
    return switch (kind(TaskTemplate.numberOf(activation))) {
      case USUAL, ONCE -> Run.completing(20);
      case RETRIED -> start == 1 ? Run.retrying(20, 3, 0) : Run.completing(20);
      case FAILING -> Run.failing(20);
    };
  }

  private static Kind kind(int task) {
    return switch (task % 10) {
      case 3 -> Kind.ONCE;
      case 5 -> Kind.RETRIED;
      case 7 -> Kind.FAILING;
      default -> Kind.USUAL;
    };
  }

  /// Behaviour of a task.
  private enum Kind {
    USUAL,
    ONCE,
    RETRIED,
    FAILING
  }
}
