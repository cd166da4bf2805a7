package io.taskbroker.client.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Task;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Form of a call that travels through Kafka.
final class ActivationsTest {
  @Test
  void priorityIsAHeader() {
    assertThat(headersOf(3)).containsEntry("taskbroker-priority", "3");
    assertThat(headersOf(0)).isEmpty();
  }

  private static Map<String, String> headersOf(int priority) {
    Task task = Task.newBuilder().setId("a").setName("work").setPriority(priority).build();
    return Activations.of(NewTask.newBuilder().setTask(task).build(), Instant.EPOCH)
        .getHeadersMap();
  }
}
