package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Results, failure messages and progress from a real broker, also after its restart.
@Timeout(240)
final class KeptResultTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  record Receipt(String number, List<Integer> items) {}

  private static final Task<String> TASK =
      Task.of("pack", String.class).retry(RetryPolicy.fixed(1, Duration.ZERO).thenDiscard());

  @TempDir private Path dir;

  @Test
  void resultAndMessageOutliveARestartAndProgressIsSeen() throws Exception {
    var receipt = new Receipt("4711", List.of(1, 2));
    var seen = new CountDownLatch(1);
    Path steps = dir.resolve("steps");
    try (TestBroker broker =
            TestBroker.start(dir, Map.of("TASKBROKER_TASK_STEPS__FILE", steps.toString()));
        TaskClient client = TaskClient.connect(broker.address());
        Worker worker =
            Worker.builder(client)
                .handle(
                    TASK,
                    (argument, context) -> {
                      context.progress("half");
                      seen.await();
                      if (argument.equals("bad")) {
                        throw new IllegalStateException("no such order");
                      }
                      context.result(receipt);
                    })
                .start()) {
      await().atMost(PATIENCE).until(worker::isConnected);
      TaskHandle good = client.enqueue(TASK.with("good").keepResult());
      TaskHandle bad = client.enqueue(TASK.with("bad").keepResult());
      TaskHandle forgotten = client.enqueue(TASK.with("good"));
      await().atMost(PATIENCE).until(() -> good.progress().equals("half"));
      seen.countDown();
      assertThat(good.await(PATIENCE).result(Receipt.class)).contains(receipt);
      TaskOutcome failed = bad.await(PATIENCE);
      assertThat(failed.kind()).isEqualTo(TaskOutcome.Kind.FAILED);
      assertThat(failed.message()).contains("no such order");
      assertThat(forgotten.await(PATIENCE).result(Receipt.class)).isEmpty();

      broker.stop();
      assertThat(Files.readString(steps))
          .contains("\"step\":\"ended\",\"task_id\":\"" + good.id())
          .contains("\"detail\":\"failed\"");
      broker.startAgain();
      assertThat(good.await(PATIENCE).result(Receipt.class)).contains(receipt);
      assertThat(bad.await(PATIENCE).message()).contains("no such order");
    }
  }
}
