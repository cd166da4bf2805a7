package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import io.taskbroker.client.ChaosWorker.Step;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Broker and worker killed, network cut, slow and truncating, under load: what was acknowledged
/// runs to its end, at-most-once tasks are begun once at most, and a client and a worker that live
/// through all of it keep their threads and memory.
///
/// `-Dchaos.rounds=50` kills each of the two 50 times; the seed is printed.
@Timeout(1_800)
final class ChaosTest {
  private static final int ROUNDS = Integer.getInteger("chaos.rounds", 3);
  private static final int MAX_MORE_THREADS = 10;
  private static final long MAX_MORE_BYTES = 16L << 20;

  /// Time between two calls of the load.
  private static final Duration PACE = Duration.ofMillis(2);

  /// Enqueued tasks that did not run, at which the producer pauses.
  private static final int MAX_BACKLOG = 2_000;

  private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
  private final AtomicInteger ended = new AtomicInteger();

  @Test
  void nothingIsLostAndNothingRunsTwiceThatMustNot(@TempDir Path dir) throws Exception {
    long seed = Long.getLong("chaos.seed", new Random().nextLong());
    System.out.println("chaos.seed=" + seed);
    Random random = new Random(seed);
    int port = Ports.free();
    Path journals = Files.createDirectory(dir.resolve("journals"));
    BrokerLaunch launch =
        BrokerLaunch.ofThisClassPath(config(dir, port), port, dir.resolve("broker.log"))
            .withJvmOptions("-XX:TieredStopAtLevel=1");
    try (BadNetwork network = new BadNetwork(port);
        TaskClient producer = client(network);
        TaskClient consumer = client(network);
        RunJournal journal = new RunJournal(journals.resolve("survivor"))) {
      BrokerProcess broker = BrokerProcess.start(launch).awaitServing(Duration.ofSeconds(60));
      BrokerProcess victim =
          BrokerProcess.start(
              launch.withProgram(
                  "io.taskbroker.client.ChaosWorker",
                  network.address(),
                  journals.resolve("victim").toString()));
      var stop = new AtomicBoolean();
      try (Worker survivor = ChaosWorker.start(consumer, journal)) {
        Thread load = Thread.ofVirtual().start(() -> produce(producer, stop));
        awaitEnds(journals, 100);
        int threads = threads(dir);
        long bytes = usedBytes();
        for (int round = 0; round < ROUNDS; round++) {
          switch (random.nextInt(4)) {
            case 0 -> network.cut();
            case 1 -> network.delay(random.nextInt(1, 200));
            case 2 -> network.truncate();
            default -> {}
          }
          victim.kill();
          broker.kill();
          victim = victim.restart();
          broker = broker.restart().awaitServing(Duration.ofSeconds(60));
          network.heal();
          awaitEnds(journals, ended.get() + 50);
        }
        stop.set(true);
        load.join();
        Set<String> must = new HashSet<>(acknowledged);
        must.removeIf(number -> number.startsWith("m"));
        await()
            .atMost(Duration.ofMinutes(2))
            .pollInterval(Duration.ofMillis(500))
            .untilAsserted(() -> {
              Set<String> missing = new HashSet<>(must);
              RunJournal.read(journals)
                  .forEach(line -> missing.remove(line.replaceFirst("^end ", "")));
              assertThat(missing).isEmpty();
            });
        assertThat(must).hasSizeGreaterThan(ROUNDS * 10);
        await().atMost(Duration.ofSeconds(60)).until(survivor::isConnected);
        acknowledged.clear();
        must.clear();
        await()
            .pollInterval(Duration.ofMillis(500))
            .untilAsserted(() -> {
              assertThat(threads(dir)).isLessThanOrEqualTo(threads + MAX_MORE_THREADS);
              assertThat(usedBytes()).isLessThan(bytes + MAX_MORE_BYTES);
            });
      } finally {
        stop.set(true);
        victim.close();
        broker.close();
      }
      List<String> begun =
          RunJournal.read(journals).stream().filter(line -> line.startsWith("begin m")).toList();
      assertThat(begun).doesNotHaveDuplicates().hasSizeGreaterThan(ROUNDS);
    }
  }

  private static Path config(Path dir, int port) throws Exception {
    return Files.writeString(
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
  }

  private static TaskClient client(BadNetwork network) {
    return TaskClient.builder()
        .target(network.address())
        .enqueueTimeout(Duration.ofSeconds(60))
        .build();
  }

  /// Waits until so many runs have ended.
  private void awaitEnds(Path journals, int count) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> {
          ended.set(
              (int)
                  RunJournal.read(journals).stream()
                      .filter(line -> line.startsWith("end "))
                      .count());
          return ended.get() >= count;
        });
  }

  /// Platform threads and virtual ones that live.
  private static int threads(Path dir) throws Exception {
    Path dump = Files.createTempDirectory(dir, "threads").resolve("dump");
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpThreads(dump.toString(), ThreadDumpFormat.TEXT_PLAIN);
    return (int) Files.readAllLines(dump).stream().filter(line -> line.startsWith("#")).count();
  }

  /// Heap after collection.
  private static long usedBytes() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private void produce(TaskClient client, AtomicBoolean stop) {
    for (int i = 0; !stop.get(); i++) {
      String number = (i % 4 == 0 ? "m" : "a") + i;
      Task<Step> task = i % 4 == 0 ? ChaosWorker.AT_MOST_ONCE : ChaosWorker.AT_LEAST_ONCE;
      var unused =
          client
              .enqueueAsync(task.with(new Step(number)))
              .thenAccept(handle -> acknowledged.add(number));
      try {
        do {
          Thread.sleep(PACE);
        } while (acknowledged.size() - ended.get() > MAX_BACKLOG && !stop.get());
      } catch (InterruptedException e) {
        return;
      }
    }
  }
}
