package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Many tasks that wait cost memory only.
@Timeout(240)
final class SleepingTasksTest {
  private static final int TASKS = 10_000;
  private static final long MAX_BYTES = 100L << 20;

  record Nap(int number) {}

  @Test
  void tenThousandWaitingTasksFitIntoAHundredMegabytesOfHeap(@TempDir Path dir) {
    Task<Nap> task = Task.of("nap", Nap.class).deadline(Duration.ofMinutes(5));
    CountDownLatch end = new CountDownLatch(1);
    try (TestBroker broker = TestBroker.start(dir);
        TaskClient client = TaskClient.connect(broker.address())) {
      List<TaskCall<Nap>> calls = new ArrayList<>();
      for (int i = 0; i < TASKS; i++) {
        calls.add(task.with(new Nap(i)));
      }
      client.enqueueAll(calls);
      calls.clear();
      long before = used();
      try (Worker worker =
          Worker.builder(client).slots(TASKS).handle(task, nap -> end.await()).start()) {
        await().atMost(Duration.ofSeconds(60)).until(() -> worker.running() == TASKS);
        assertThat(used() - before).isLessThan(MAX_BYTES);
        end.countDown();
        await().atMost(Duration.ofSeconds(60)).until(() -> worker.counts().completed() == TASKS);
      }
    }
  }

  /// Heap after collection, of broker and client together.
  private static long used() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
