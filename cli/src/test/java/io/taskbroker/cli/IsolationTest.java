package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.BrokerProcess;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Many applications share one topic, and only two have a working worker: one port is closed, one
/// closes every connection, one never answers, one application has no worker. More of their tasks
/// than any limit allows precede the healthy ones, which still run; offsets advance to the end, and
/// the broker does not spin (G7, G8, H13, W13, W26, W27, W45).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class IsolationTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration WINDOW = Duration.ofSeconds(3);
  private static final int STALE = 2_100;
  private static final int EACH = 800;

  /// Maximum distance by which concurrent calls overtake each other.
  private static final int OVERTAKEN = 128;

  /// Share of a core; an idle broker with healthy workers uses less than an eighth of it.
  private static final double IDLE = 0.2;

  private final Map<String, ExecutionLog> logs = new LinkedHashMap<>();
  private final int deadPort = Ports.free();
  private final long testBegan = System.nanoTime();

  @TempDir private Path dir;

  @Test
  void w13w26w27w45OnlyApplicationsWithoutAWorkerWait(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "isolation", view.bootstrap());
    view.createTopics(setup, 1);
    try (var healthy = worker(setup, "healthy", Behaviour.completing(Duration.ofMillis(5)));
        var failing = worker(setup, "failing", (_, _) -> Run.failing(1));
        var silent = new SilentWorker();
        var closing = new ClosingPort()) {
      setup
          .with("delivery_mode", "push")
          .with("push", "{timeout: 5000ms}")
          .with(
              "worker_map",
              "{healthy: \"%s\", failing: \"%s\", silent: \"%s\", closing: \"%s\", dead: \"http://127.0.0.1:%d\"}"
                  .formatted(healthy.url(), failing.url(), silent.url(), closing.url(), deadPort))
          .withStore("max_pending_count: 50, max_processing_count: 50, max_delay_count: 50");
      publishAll(view, setup);
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> log("healthy").completedTasks() == EACH);
        await().atMost(PATIENCE).until(() -> log("failing").acknowledged() == EACH);
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        await().atMost(PATIENCE).until(() -> setup.rows() == STALE + 3L * EACH);
        for (int task = 0; task < EACH; task++) {
          assertThat(log("healthy").starts(task)).as("runs of healthy task %d", task).isOne();
        }

        assertIdlesCheaply(broker, closing, silent);
        assertThat(silent.connections())
            .as("connections to the silent worker")
            .isLessThanOrEqualTo(silent.calls() + 1);
        assertThat(silent.mostAtATime()).as("concurrent calls to it").isLessThanOrEqualTo(4);

        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        long up = System.nanoTime();
        try (var dead =
            worker(
                setup,
                "dead",
                deadPort,
                (activation, _) -> {
                  order.add(TaskTemplate.numberOf(activation));
                  return Run.completing(1);
                })) {
          await().atMost(PATIENCE).pollInterval(Duration.ofMillis(5)).until(() -> !order.isEmpty());
          assertThat(System.nanoTime() - up).as("detection time").isLessThan(20_000_000_000L);
          await().atMost(PATIENCE).until(() -> log("dead").completedTasks() == STALE);
          assertThat(order)
              .containsExactlyInAnyOrderElementsOf(IntStream.range(0, STALE).boxed().toList());
          assertThat(
                  IntStream.range(0, STALE)
                      .filter(place -> Math.abs(order.get(place) - place) > OVERTAKEN)
                      .count())
              .as("oldest first, except for calls on a connection that was slow")
              .isLessThan(STALE / 20);
          assertThat(dead.awaitIdle(PATIENCE)).isTrue();
        }
        assertNothingIsHeldAgainstWhatWaits(view, setup);
        assertSaidOnce(setup, "cannot reach the worker of application: dead");
        assertSaidOnce(setup, "cannot reach the worker of application: closing");
        assertSaidOnce(setup, "no worker is configured (worker_map) for application: nowhere");
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      }
    }
  }

  /// All remaining tasks wait for unreachable workers.
  private static void assertIdlesCheaply(
      BrokerProcess broker, ClosingPort closing, SilentWorker silent) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> {
          int connections = closing.connections();
          int calls = silent.calls();
          Duration before = cpu(broker);
          long begin = System.nanoTime();
          await().pollDelay(WINDOW).until(() -> true);
          double seconds = (System.nanoTime() - begin) / 1e9;
          double cores = cpu(broker).minus(before).toNanos() / 1e9 / seconds;
          double attempts = (closing.connections() - connections) / seconds;
          double pushes = (silent.calls() - calls) / seconds;
          System.out.printf(
              "Idle with dead workers: %.1f %% of a core, %.1f connections and %.1f calls a"
                  + " second%n",
              100 * cores, attempts, pushes);
          assertThat(cores).as("cores").isLessThan(IDLE);
          assertThat(attempts).as("connections a second").isLessThan(4);
          assertThat(pushes).as("calls a second").isLessThan(4);
        });
  }

  private static Duration cpu(BrokerProcess broker) {
    return ProcessHandle.of(broker.pid())
        .flatMap(process -> process.info().totalCpuDuration())
        .orElseThrow();
  }

  /// Waiting tasks only wait: no attempt is counted, and none is dead-lettered, although their
  /// policy dead-letters failures.
  private static void assertNothingIsHeldAgainstWhatWaits(KafkaView view, BrokerSetup setup)
      throws Exception {
    assertThat(setup.rows()).isEqualTo(3L * EACH);
    assertThat(setup.inStore("SELECT max(processing_attempts) FROM inflight_taskactivations"))
        .isZero();
    assertThat(view.published(setup.deadLetters())).isZero();
  }

  private void assertSaidOnce(BrokerSetup setup, String what) throws Exception {
    // Logged once a minute.
    int minutes = (int) ((System.nanoTime() - testBegan) / 60_000_000_000L);
    await()
        .untilAsserted(() ->
            assertThat(setup.output())
                .filteredOn(line -> line.contains(what))
                .hasSizeBetween(1, 2 + minutes));
  }

  private ExecutionLog log(String application) {
    return logs.computeIfAbsent(application, _ -> new ExecutionLog(STALE));
  }

  private PushWorker worker(BrokerSetup setup, String application, Behaviour behaviour) {
    return worker(setup, application, 0, behaviour);
  }

  private PushWorker worker(BrokerSetup setup, String application, int port, Behaviour behaviour) {
    return PushWorker.start(
        WorkerOptions.of(setup.address()).onPort(port), behaviour, log(application));
  }

  /// Publishes the dead application's tasks first, the others' interleaved.
  private void publishAll(KafkaView view, BrokerSetup setup) {
    var dead = new TaskTemplate("dead", "n", "t", 100, 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log("dead"))) {
      for (int task = 0; task < STALE; task++) {
        producer.send(task, dead.task(task).build());
      }
      var templates = new LinkedHashMap<String, TaskTemplate>();
      for (String name : List.of("nowhere", "silent", "closing", "failing", "healthy")) {
        templates.put(name, new TaskTemplate(name, "n", "t", 100, name.hashCode()));
      }
      for (int number = 0; number < EACH; number++) {
        int task = number;
        templates.forEach((name, template) -> {
          var activation = template.task(task);
          if (!name.equals("failing")) {
            activation
                .getRetryStateBuilder()
                .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
          }
          producer.send(activation.build().toByteArray());
        });
      }
      producer.flush();
    }
  }
}
