package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.TcpBalancer;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The real process pushes to workers behind a TCP balancer, like a Kubernetes Service: all receive
/// the same share, a new one receives tasks soon, and a dead or slow one delays only its own tasks
/// (ADR 14, G8).
@Timeout(300)
@ExtendWith(SharedKafka.class)
final class BalancedWorkersTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 200;
  private static final int ALL = 400;
  private static final int SLOTS = 4;
  private static final long RUN_MILLIS = 300;

  private final ExecutionLog log = new ExecutionLog(ALL);
  private final List<AutoCloseable> open = new ArrayList<>();

  @TempDir private Path dir;

  /// A worker with a count of its started tasks.
  private record Pod(PushWorker worker, AtomicInteger started) {}

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  @Test
  void g8WorkersBehindABalancerShareTheWork(KafkaView view) throws Exception {
    TcpBalancer balancer = TcpBalancer.start();
    open.add(balancer);
    BrokerSetup setup = BrokerSetup.push(dir, "balanced", view.bootstrap(), balancer.url());
    setup.withStore("processing_deadline_grace_sec: 0");
    view.createTopics(setup, 2);
    List<Pod> pods = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      pods.add(pod(setup, balancer, SLOTS, RUN_MILLIS));
    }
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      publish(view, setup, 0, TASKS);
      await().atMost(PATIENCE).pollInterval(Duration.ofMillis(5)).until(() -> log.starts() > 0);
      long begin = System.nanoTime();
      await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
      long millis = (System.nanoTime() - begin) / 1_000_000;
      List<Integer> shares = pods.stream().map(pod -> pod.started.get()).toList();
      System.out.printf(
          "%d tasks of %d ms by three workers of %d slots behind a balancer: %s in %d ms%n",
          TASKS, RUN_MILLIS, SLOTS, shares, millis);
      assertThat(shares).allSatisfy(share -> assertThat(share).isBetween(40, 95));

      Pod slow = pod(setup, balancer, 1, 4 * RUN_MILLIS);
      Pod joining = pod(setup, balancer, SLOTS, RUN_MILLIS);
      long joined = System.nanoTime();
      publish(view, setup, TASKS, ALL);
      await().atMost(PATIENCE).until(() -> joining.started.get() > 0 && slow.started.get() > 0);
      System.out.printf(
          "Two that joined got tasks within %d ms%n", (System.nanoTime() - joined) / 1_000_000);

      Pod dead = pods.getFirst();
      dead.worker.close(); // and the balancer still sends connections there
      await().atMost(PATIENCE).until(() -> log.completedTasks() == ALL);
      System.out.printf(
          "Then %d ms; %d by the slow one%n",
          (System.nanoTime() - joined) / 1_000_000, slow.started.get());
      assertThat(joining.started.get()).isGreaterThan(10);
      assertThat(setup.output()).noneMatch(line -> line.contains("cannot reach the worker"));
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  private Pod pod(BrokerSetup setup, TcpBalancer balancer, int slots, long millis) {
    var started = new AtomicInteger();
    Behaviour completing = Behaviour.completing(Duration.ofMillis(millis));
    PushWorker worker =
        PushWorker.start(
            WorkerOptions.of(setup.address()).withConcurrency(slots),
            (activation, start) -> {
              started.incrementAndGet();
              return completing.run(activation, start);
            },
            log);
    open.add(worker);
    balancer.add(worker.port());
    return new Pod(worker, started);
  }

  private void publish(KafkaView view, BrokerSetup setup, int from, int to) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 2L * from + 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = from; task < to; task++) {
        producer.send(task, template.task(task).setProcessingDeadlineDuration(2).build());
      }
      producer.flush();
    }
  }
}
