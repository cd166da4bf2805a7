package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// An application whose tasks nobody takes stays within the configured limit, as visible in the
/// database; and a neighbour behind its backlog, beyond the read-ahead, is still delivered (G8,
/// H13, docs/adr/0015).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class LimitTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int LIMIT = 50;
  private static final int BACKLOG = 6_000;

  @TempDir private Path dir;

  @Test
  void h13LimitHoldsUntilANeighbourIsThere(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "limit", view.bootstrap()).withStore("max_pending_count: " + LIMIT);
    view.createTopics(setup, 2);
    publish(view, setup, "alone", BACKLOG);
    try (var broker = setup.start().awaitServing(PATIENCE);
        var calls = new RawCalls(setup)) {
      await().atMost(PATIENCE).untilAsserted(() -> assertThat(setup.rows()).isEqualTo(LIMIT));
      await()
          .during(Duration.ofSeconds(3))
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(setup.rows()).isEqualTo(LIMIT));

      publish(view, setup, "late", 1);
      byte[] wanted = GetTaskRequest.newBuilder().setApplication("late").build().toByteArray();
      await()
          .atMost(PATIENCE)
          .until(() ->
              calls.call(ConsumerServiceGrpc.getGetTaskMethod(), wanted, null).code()
                  == Status.Code.OK);
      assertThat(setup.rows()).as("rows including parked ones").isGreaterThan(LIMIT);
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  private static void publish(KafkaView view, BrokerSetup setup, String application, int count) {
    var template = new TaskTemplate(application, "n", "t", 100, count);
    try (var producer =
        new TaskProducer(view.bootstrap(), setup.topic(), new ExecutionLog(count))) {
      for (int task = 0; task < count; task++) {
        producer.send(template.task(task).build().toByteArray());
      }
      producer.flush();
    }
  }
}
