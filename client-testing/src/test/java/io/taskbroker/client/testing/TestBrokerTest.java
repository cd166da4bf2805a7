package io.taskbroker.client.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskHandle;
import io.taskbroker.client.TaskOutcome;
import io.taskbroker.client.Worker;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// The real broker within a test.
@Timeout(240)
@ExtendWith(TaskBrokerExtension.class)
final class TestBrokerTest {
  private static @Nullable TestBroker seen;

  @Test
  void aTaskSurvivesARestart(TestBroker broker) {
    seen = seen == null ? broker : seen;
    assertThat(broker).isSameAs(seen);
    Task<String> task = Task.of("survives", String.class);
    try (TaskClient client = broker.connect()) {
      TaskHandle handle = client.enqueue(task.with("x").rememberFor(Duration.ofMinutes(1)));
      broker.restart();
      try (Worker worker = Worker.builder(client).handle(task, text -> {}).start()) {
        assertThat(handle.await(Duration.ofSeconds(30)).kind())
            .isEqualTo(TaskOutcome.Kind.COMPLETED);
        assertThat(worker.isConnected()).isTrue();
      }
    }
  }

  @Test
  void theClassSharesOneBroker(TestBroker broker) {
    seen = seen == null ? broker : seen;
    assertThat(broker).isSameAs(seen);
  }
}
