package io.taskbroker.client.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.taskbroker.EmbeddedBroker;
import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.Worker;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What an operator sees of a worker.
@Timeout(240)
final class WorkerMetricsTest {
  @Test
  void attemptsAndResultsAreCounted(@TempDir Path dir) {
    Task<String> task = Task.of("count", String.class).retry(RetryPolicy.none().thenDiscard());
    var registry = new SimpleMeterRegistry();
    var metrics = new WorkerMetrics(registry);
    try (EmbeddedBroker broker =
            EmbeddedBroker.start(
                Map.of(
                    "TASKBROKER_KAFKA_ENABLED", "false",
                    "TASKBROKER_GRPC_ADDR", "127.0.0.1",
                    "TASKBROKER_GRPC_PORT", Integer.toString(Ports.free()),
                    "TASKBROKER_METRICS_ADDR", "127.0.0.1:0",
                    "TASKBROKER_STORE__SQLITE__PATH", dir.resolve("store").toString()));
        TaskClient client = TaskClient.connect(broker.address());
        Worker worker =
            Worker.builder(client)
                .middleware(metrics)
                .handle(
                    task,
                    text -> {
                      if (text.equals("bad")) {
                        throw new IllegalStateException("bad");
                      }
                    })
                .start()) {
      metrics.bind(worker, Tags.of("pool", "a"));
      client.enqueue(task, "good");
      client.enqueue(task, "good");
      client.enqueue(task, "bad");
      await().until(() -> count(registry, "completed") == 2 && count(registry, "failed") == 1);
      assertThat(
              registry
                  .get("taskbroker.worker.attempt")
                  .tags("task", "count", "outcome", "returned")
                  .timer()
                  .count())
          .isEqualTo(2);
      assertThat(registry.get("taskbroker.worker.connected").gauge().value()).isEqualTo(1);
      assertThat(registry.get("taskbroker.worker.slots").tag("pool", "a").gauge().value())
          .isEqualTo(100);
    }
  }

  private static double count(SimpleMeterRegistry registry, String outcome) {
    return registry
        .get("taskbroker.worker.results")
        .tag("outcome", outcome)
        .functionCounter()
        .count();
  }
}
