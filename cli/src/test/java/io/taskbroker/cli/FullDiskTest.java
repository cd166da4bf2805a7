package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The disk of a real process is really full: a file system in memory that the test fills. Intake
/// stops in time, reports and deletes go on; with the last byte taken the process stays alive; free
/// space heals it, and nothing is lost or done twice (G7, H12).
///
/// Needs Linux, and the right to mount a file system in a user namespace; without them the test
/// prints that and ends.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class FullDiskTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String OTHER = "other";
  private static final int SOME = 150;
  private static final int STORED = 2 * SOME;
  private static final int TASKS = 400;
  private static final int TASK_BYTES = 20_000;

  /// Size of the disk; 96 of these MiB are reserved for deletes.
  private static final String DISK = "size=140m";

  private static final int FILLED_MIB = 60;
  private static final String MOUNT = "mount -t tmpfs -o " + DISK + " tmpfs \"$0\" && exec \"$@\"";

  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final TaskTemplate template =
      new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", TASK_BYTES, 1);

  @TempDir private Path dir;

  @Test
  void h12IntakeStopsOnAFullDiskAndGoesOnWhenThereIsRoom(KafkaView view) throws Exception {
    Path disk = Files.createDirectory(dir.toRealPath().resolve("disk"));
    if (!canMount(disk)) {
      System.out.println("Cannot mount a file system: a full disk was not tested");
      return;
    }
    BrokerSetup setup =
        BrokerSetup.pull(dir, "full-disk", view.bootstrap())
            .with("store", "{sqlite: {path: \"%s/store.sqlite\"}}".formatted(disk));
    view.createTopics(setup, 1);
    publish(view, setup, 0, STORED);
    try (var pages = BrokerPages.of(setup);
        BrokerProcess broker =
            setup.startInside("unshare", "-Urm", "sh", "-c", MOUNT, disk.toString())) {
      broker.awaitServing(PATIENCE);
      Path seen = Path.of("/proc/" + broker.pid() + "/root" + disk);
      awaitCommitted(view, setup, STORED);

      fill(seen.resolve("filler"), FILLED_MIB);
      publish(view, setup, STORED, TASKS);
      await()
          .atMost(PATIENCE)
          .until(
              () -> setup.output().stream().anyMatch(line -> line.contains("The store is full")));
      await().atMost(PATIENCE).until(() -> pages.conditions().contains("store_full"));
      assertThat(pages.status("/readyz")).isEqualTo(200);
      var rules = new AlertRules();
      await().until(() -> rules.fires("TaskbrokerStoreFull", "", pages.get("/metrics").body()));
      try (var _ = worker(setup, BrokerSetup.APPLICATION)) {
        awaitDone(0, SOME);
      }
      assertThat(view.committedOf(setup, setup.topic())).isEqualTo((long) STORED);
      broker.awaitServing(PATIENCE);

      fill(seen.resolve("more"), Integer.MAX_VALUE);
      try (var worker = worker(setup, OTHER)) {
        await().during(Duration.ofSeconds(1)).atMost(PATIENCE).until(broker::isAlive);
        assertThat(view.committedOf(setup, setup.topic())).isEqualTo((long) STORED);

        Files.delete(seen.resolve("more"));
        Files.delete(seen.resolve("filler"));
        awaitDone(SOME, STORED);
        awaitCommitted(view, setup, TASKS);
        try (var rest = worker(setup, BrokerSetup.APPLICATION)) {
          awaitDone(0, TASKS);
          assertThat(rest.awaitIdle(PATIENCE)).isTrue();
        }
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      for (int task = 0; task < TASKS; task++) {
        assertThat(log.starts(task)).as("runs of task %d", task).isOne();
      }
      await().atMost(PATIENCE).until(() -> pages.conditions().isEmpty());
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  private static boolean canMount(Path disk) throws Exception {
    try {
      Process trial =
          new ProcessBuilder("unshare", "-Urm", "sh", "-c", MOUNT, disk.toString(), "true")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return trial.waitFor(10, TimeUnit.SECONDS) && trial.exitValue() == 0;
    } catch (IOException _) {
      return false;
    }
  }

  /// Writes this many mebibytes, or until the disk is full.
  private static void fill(Path file, int mebibytes) {
    byte[] block = new byte[1 << 20];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < mebibytes; i++) {
        out.write(block);
      }
    } catch (IOException _) {
      // No space left: fill the last bytes as well.
      fillBytes(file.resolveSibling(file.getFileName() + "-bytes"));
    }
  }

  private static void fillBytes(Path file) {
    try (OutputStream out = Files.newOutputStream(file)) {
      while (true) {
        out.write(new byte[512]);
      }
    } catch (IOException _) {
      // Expected: the disk is full.
    }
  }

  private void awaitCommitted(KafkaView view, BrokerSetup setup, long offset) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(view.committedOf(setup, setup.topic())).isEqualTo(offset));
  }

  private void awaitDone(int from, int to) {
    await()
        .alias("tasks %d to %d".formatted(from, to))
        .atMost(PATIENCE)
        .until(() ->
            IntStream.range(from, to)
                .allMatch(task -> log.completedAt(task) != ExecutionLog.NEVER));
  }

  private PullWorker worker(BrokerSetup setup, String application) {
    return PullWorker.start(
        WorkerOptions.of(setup.address()).withConcurrency(20),
        application,
        Behaviour.completing(Duration.ofMillis(5)),
        log);
  }

  private void publish(KafkaView view, BrokerSetup setup, int from, int to) {
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = from; task < to; task++) {
        boolean other = task >= SOME && task < STORED;
        String application = other ? OTHER : BrokerSetup.APPLICATION;
        // Reports wait while the disk is full.
        producer.send(
            task,
            template
                .task(task)
                .setApplication(application)
                .setProcessingDeadlineDuration(120)
                .build());
      }
      producer.flush();
    }
  }
}
