package io.taskbroker.client;

import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;

/// Program that runs 10,000 tasks that sleep, and prints the resident memory of its process.
///
/// `SleepingWorker HOST:PORT`
final class SleepingWorker {
  private static final int TASKS = 10_000;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  record Nap(int seconds) {}

  private static final Task<Nap> NAP =
      Task.of("nap", Nap.class).deadline(Duration.ofMinutes(5)).retry(RetryPolicy.none());

  private SleepingWorker() {}

  public static void main(String[] args) throws Exception {
    try (TaskClient client = TaskClient.connect(args[0]);
        Worker worker =
            Worker.builder(client)
                .slots(TASKS)
                .handle(NAP, nap -> Thread.sleep(Duration.ofSeconds(nap.seconds())))
                .start()) {
      client.enqueueAll(Collections.nCopies(TASKS, NAP.with(new Nap(10))));
      await().atMost(PATIENCE).until(() -> worker.running() == TASKS);
      System.out.println(worker.running() + " tasks sleep: " + resident());
      await().atMost(PATIENCE).until(() -> worker.counts().completed() == TASKS);
      System.out.println("All completed: " + resident());
    }
    System.exit(0);
  }

  private static String resident() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS") || line.startsWith("VmHWM"))
        .toList()
        .toString();
  }
}
