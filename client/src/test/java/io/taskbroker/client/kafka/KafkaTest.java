package io.taskbroker.client.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.EmbeddedBroker;
import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.TaskHandle;
import io.taskbroker.client.Worker;
import io.taskbroker.client.codec.PayloadCodec;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Ports;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Calls through a real Kafka, run by workers on each way to get them.
@Timeout(240)
final class KafkaTest {
  record Order(String number, int amount) {}

  private static final Task<Order> PACK =
      Task.of("pack", Order.class)
          .application("shop")
          .codec(PayloadCodec.messagePack())
          .retry(RetryPolicy.fixed(3, Duration.ofSeconds(1)).thenDiscard());

  @TempDir static Path dir;
  private static EmbeddedKafka kafka;

  @BeforeAll
  static void startKafka() throws Exception {
    kafka = EmbeddedKafka.start(dir.resolve("kafka"));
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  /// A broker that consumes the topic of this name, and the port of its worker in push mode.
  private static EmbeddedBroker broker(String topic, int workerPort, String secret)
      throws Exception {
    kafka.createTopic(topic, 2);
    kafka.createTopic(topic + "-dead", 1);
    Path own = Files.createDirectories(dir.resolve(topic));
    String yaml =
        """
        delivery_mode: %s
        worker_map: {shop: "http://127.0.0.1:%d"}
        grpc_addr: 127.0.0.1
        grpc_port: %d
        %s
        metrics_addr: "127.0.0.1:0"
        store: {sqlite: {path: "%s"}}
        kafka_clusters: {main: {address: "%s"}}
        kafka_topics:
          %s: {cluster: main, consumer_group: g}
          %s-dead: {cluster: main, consumer_group: g, produce_only: true}
        kafka_deadletter_topic: %s-dead
        kafka_retry_topic: %s
        kafka_auto_offset_reset: earliest
        """
            .formatted(
                workerPort == 0 ? "pull" : "push",
                workerPort,
                Ports.free(),
                secret.isEmpty() ? "" : "grpc_shared_secret: [" + secret + "]",
                own.resolve("store.sqlite"),
                kafka.bootstrap(),
                topic,
                topic,
                topic,
                topic);
    return EmbeddedBroker.start(Files.writeString(own.resolve("config.yaml"), yaml));
  }

  private static TaskClient producer(String topic) {
    return TaskClient.builder()
        .transport(KafkaTransport.of(Map.of("bootstrap.servers", kafka.bootstrap()), topic))
        .build();
  }

  /// Enqueues 200 calls through Kafka, one of which asks for a retry, and waits for their runs.
  private static void runAll(
      String topic, EmbeddedBroker broker, String secret, UnaryOperator<Worker.Builder> way)
      throws Exception {
    Set<String> done = ConcurrentHashMap.newKeySet();
    var attempts = new LinkedBlockingQueue<TaskContext>();
    TaskClient.Builder builder = TaskClient.builder().target(broker.address());
    if (!secret.isEmpty()) {
      builder.secret(secret);
    }
    try (TaskClient producer = producer(topic);
        TaskClient client = builder.build();
        Worker worker =
            way.apply(Worker.builder(client).application("shop"))
                .handle(
                    PACK,
                    (order, context) -> {
                      if (order.amount() == 7 && context.attempt() == 1) {
                        throw new IllegalStateException("again");
                      }
                      if (order.amount() == 7) {
                        attempts.add(context);
                      }
                      done.add(order.number());
                    })
                .start()) {
      List<TaskHandle> handles =
          producer.enqueueAll(
              java.util.stream.IntStream.range(0, 200)
                  .mapToObj(i -> PACK.with(new Order("order-" + i, i)))
                  .toList());
      await().atMost(Duration.ofSeconds(60)).until(() -> done.size() == 200);
      assertThat(attempts.poll().attempt()).isEqualTo(2);
      assertThat(handles).hasSize(200);
      assertThatThrownBy(() -> handles.getFirst().state())
          .isInstanceOf(UnsupportedOperationException.class);
      assertThat(worker.isConnected()).isTrue();
    }
  }

  @Test
  void aStreamWorkerRunsWhatComesThroughKafka() throws Exception {
    try (EmbeddedBroker broker = broker("by-stream", 0, "")) {
      runAll("by-stream", broker, "", worker -> worker);
    }
  }

  @Test
  void aPullWorkerRunsIt() throws Exception {
    try (EmbeddedBroker broker = broker("by-pull", 0, "secret-1")) {
      runAll("by-pull", broker, "secret-1", Worker.Builder::pull);
    }
  }

  @Test
  void aPushWorkerRunsIt() throws Exception {
    int port = Ports.free();
    try (EmbeddedBroker broker = broker("by-push", port, "secret-1")) {
      runAll(
          "by-push",
          broker,
          "secret-1",
          worker ->
              worker.push(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)).slots(20));
    }
  }

  @Test
  void aStreamWorkerSignsItsStream() throws Exception {
    try (EmbeddedBroker broker = broker("by-signed-stream", 0, "secret-1")) {
      runAll("by-signed-stream", broker, "secret-1", worker -> worker);
    }
  }
}
