package io.taskbroker.client;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Broker killed, network cut, slow and truncating, worker stopped hard, under load: what was
/// acknowledged runs, at-most-once tasks run once at most, and nothing piles up.
///
/// `-Dchaos.rounds=50` runs it for longer; the seed is printed.
@Timeout(600)
final class ChaosTest {
  private static final int ROUNDS = Integer.getInteger("chaos.rounds", 4);
  private static final int MAX_MORE_THREADS = 20;

  /// Enqueued tasks that did not run, at which the producer pauses.
  private static final int MAX_BACKLOG = 2_000;

  record Step(String number) {}

  private final Task<Step> atLeastOnce =
      Task.of("step", Step.class).retry(RetryPolicy.fixed(100, Duration.ofMillis(100)));
  private final Task<Step> atMostOnce =
      Task.of("single", Step.class).atMostOnce().retry(RetryPolicy.none().thenDiscard());
  private final Map<String, AtomicInteger> runs = new ConcurrentHashMap<>();
  private final Map<String, TaskHandle> acknowledged = new ConcurrentHashMap<>();

  @Test
  void nothingIsLostAndNothingRunsTwiceThatMustNot(@TempDir Path dir) throws Exception {
    long seed = Long.getLong("chaos.seed", new Random().nextLong());
    System.out.println("chaos.seed=" + seed);
    Random random = new Random(seed);
    int port = Ports.free();
    Path config =
        Files.writeString(
            dir.resolve("config.yaml"),
            """
            kafka_enabled: false
            delivery_mode: pull
            grpc_addr: 127.0.0.1
            grpc_port: %d
            metrics_addr: "127.0.0.1:0"
            store: {sqlite: {path: "%s"}}
            """
                .formatted(port, dir.resolve("store.sqlite")));
    BrokerLaunch launch =
        BrokerLaunch.ofThisClassPath(config, port, dir.resolve("broker.log"))
            .withJvmOptions("-XX:TieredStopAtLevel=1");
    try (BrokerProcess first = BrokerProcess.start(launch).awaitServing(Duration.ofSeconds(60));
        BadNetwork network = new BadNetwork(port);
        TaskClient producer = client(network);
        TaskClient consumer = client(network)) {
      BrokerProcess broker = first;
      var stop = new AtomicBoolean();
      Thread load = Thread.ofVirtual().start(() -> produce(producer, stop));
      Worker worker = worker(consumer);
      int threads = ManagementFactory.getThreadMXBean().getThreadCount();
      for (int round = 0; round < ROUNDS; round++) {
        switch (random.nextInt(5)) {
          case 0 -> network.cut();
          case 1 -> network.delay(random.nextInt(1, 200));
          case 2 -> network.truncate();
          case 3 -> {
            worker.close();
            worker = worker(consumer);
          }
          default -> {}
        }
        int before = runs.size();
        broker = broker.restart();
        broker.awaitServing(Duration.ofSeconds(60));
        network.heal();
        await().atMost(Duration.ofSeconds(60)).until(() -> runs.size() > before + 20);
      }
      stop.set(true);
      load.join();
      List<String> must =
          acknowledged.keySet().stream().filter(number -> number.startsWith("a")).toList();
      await()
          .atMost(Duration.ofMinutes(2))
          .untilAsserted(() -> assertThat(missing(must)).isEmpty());
      worker.close();
      broker.close();
      assertThat(runs)
          .allSatisfy((number, count) -> {
            if (number.startsWith("m")) {
              assertThat(count.get()).as(number).isEqualTo(1);
            }
          });
      assertThat(must).hasSizeGreaterThan(ROUNDS * 10);
      assertThat(ManagementFactory.getThreadMXBean().getThreadCount())
          .isLessThan(threads + MAX_MORE_THREADS);
    }
  }

  /// Number of tasks that did not run yet, and where the first of them are.
  private String missing(List<String> must) {
    List<String> missing = must.stream().filter(number -> !runs.containsKey(number)).toList();
    return missing.isEmpty()
        ? ""
        : missing.size()
            + ": "
            + missing.stream()
                .limit(3)
                .map(number -> number + " " + requireNonNull(acknowledged.get(number)).state())
                .toList();
  }

  private static TaskClient client(BadNetwork network) {
    return TaskClient.builder()
        .target(network.address())
        .enqueueTimeout(Duration.ofSeconds(60))
        .build();
  }

  private Worker worker(TaskClient client) {
    return Worker.builder(client)
        .slots(50)
        .stopTimeout(Duration.ZERO)
        .handle(atLeastOnce, this::run)
        .handle(atMostOnce, this::run)
        .start();
  }

  private void run(Step step, TaskContext context) throws InterruptedException {
    runs.computeIfAbsent(step.number(), number -> new AtomicInteger()).incrementAndGet();
    Thread.sleep(5);
  }

  private void produce(TaskClient client, AtomicBoolean stop) {
    for (int i = 0; !stop.get(); i++) {
      String number = (i % 4 == 0 ? "m" : "a") + i;
      Task<Step> task = i % 4 == 0 ? atMostOnce : atLeastOnce;
      CompletableFuture<TaskHandle> answer = client.enqueueAsync(task.with(new Step(number)));
      var unused = answer.thenAccept(handle -> acknowledged.put(number, handle));
      try {
        do {
          Thread.sleep(2);
        } while (acknowledged.size() - runs.size() > MAX_BACKLOG && !stop.get());
      } catch (InterruptedException e) {
        return;
      }
    }
  }
}
