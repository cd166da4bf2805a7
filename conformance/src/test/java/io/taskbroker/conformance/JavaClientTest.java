package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.Worker;
import io.taskbroker.client.codec.PayloadCodec;
import io.taskbroker.client.kafka.KafkaTransport;
import io.taskbroker.conformance.Journal.Run;
import io.taskbroker.testkit.EmbeddedKafka;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// The Java SDK and the published Python client, through Kafka, in both directions.
@Timeout(300)
@ExtendWith({SharedKafka.class, LogsOfFailure.class})
final class JavaClientTest {
  record Order(String number, int amount, List<String> lines) {}

  private static final Task<Order> ECHO =
      Task.of("echo", Order.class)
          .application("conformance")
          .namespace("work")
          .codec(PayloadCodec.messagePack())
          .retry(RetryPolicy.fixed(3, Duration.ZERO).thenDiscard());

  @Test
  void pythonRunsWhatJavaEnqueues(EmbeddedKafka kafka) throws Exception {
    try (Deployment deployment =
            Deployment.pull(kafka, "java-to-python", PythonEnvironment.CURRENT).startBroker();
        TaskClient client =
            TaskClient.builder()
                .compressAbove(10_000)
                .transport(
                    KafkaTransport.of(
                        Map.of("bootstrap.servers", kafka.bootstrap()), "java-to-python-tasks"))
                .build()) {
      deployment.startReadyWorker();
      String id = client.enqueue(ECHO, new Order("ü-1", 3, List.of("a", "b"))).id();
      client.enqueue(ECHO, new Order("large", 4, List.of("x".repeat(20_000))));
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> deployment.journal().runs("echo").stream().filter(Run::isOver).count() == 2);
      List<Run> runs = deployment.journal().runs("echo");
      assertThat(runs).extracting(Run::outcome).containsOnly("returned");
      Run small = runs.stream().filter(run -> run.id().equals(id)).findFirst().orElseThrow();
      assertThat(small.kwargs())
          .hasToString("{\"number\":\"ü-1\",\"amount\":3,\"lines\":[\"a\",\"b\"]}");
      assertThat(deployment.published())
          .extracting(each -> each.getHeadersMap().containsKey("compression-type"))
          .containsExactlyInAnyOrder(false, true);
    }
  }

  @Test
  void javaRunsWhatPythonPublishes(EmbeddedKafka kafka) throws Exception {
    var orders = new LinkedBlockingQueue<Order>();
    var attempts = new LinkedBlockingQueue<TaskContext>();
    try (Deployment deployment =
            Deployment.pull(kafka, "python-to-java", PythonEnvironment.CURRENT).startBroker();
        TaskClient client = TaskClient.connect(deployment.brokerAddress());
        Worker worker =
            Worker.builder(client)
                .application("conformance")
                .handle(
                    ECHO,
                    (order, context) -> {
                      attempts.add(context);
                      orders.add(order);
                    })
                .start();
        Dispatcher dispatcher = deployment.startDispatcher()) {
      dispatcher.applyAsync(
          "work:echo",
          List.of("ü-1"),
          Map.of("kwargs", Map.of("amount", 3, "lines", List.of("a", "b"), "unknown", 1)));
      dispatcher.delay("work:compressed", "small", 1);
      dispatcher.finish();
      assertThat(orders.poll(60, TimeUnit.SECONDS))
          .isEqualTo(new Order("ü-1", 3, List.of("a", "b")));
      assertThat(attempts.remove().attempt()).isEqualTo(1);
      await().until(() -> worker.counts().failed() == 1); // no handler for `compressed`
    }
  }
}
