package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Calls with a priority, at a real broker.
@Timeout(240)
final class PriorityTest {
  private static final Task<String> TASK = Task.of("work", String.class);

  @TempDir private Path dir;

  @Test
  void highestRunsFirst() throws Exception {
    BlockingQueue<String> order = new LinkedBlockingQueue<>();
    try (TestBroker broker = TestBroker.start(dir, Map.of());
        TaskClient client = TaskClient.connect(broker.address())) {
      List<TaskHandle> handles =
          client.enqueueAll(
              List.of(
                  TASK.with("normal"),
                  TASK.with("last").priority(-4),
                  TASK.with("first").priority(4)));
      try (Worker worker =
          Worker.builder(client)
              .slots(1)
              .handle(TASK, (argument, context) -> order.add(argument))
              .start()) {
        await().atMost(Duration.ofSeconds(60)).until(worker::isConnected);
        for (TaskHandle handle : handles) {
          assertThat(handle.await(Duration.ofSeconds(60)).kind())
              .isEqualTo(TaskOutcome.Kind.COMPLETED);
        }
      }
    }
    assertThat(order).containsExactly("first", "normal", "last");
  }

  @Test
  void othersAreRefusedAtOnce() {
    assertThatThrownBy(() -> TASK.with("x").priority(5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-4 to 4");
  }
}
