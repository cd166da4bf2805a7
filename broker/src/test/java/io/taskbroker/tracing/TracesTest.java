package io.taskbroker.tracing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import io.taskbroker.EmbeddedBroker;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import io.taskbroker.tracing.OtlpReceiver.ReceivedSpan;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Traces of a real broker with Kafka, received over OTLP.
@Timeout(240)
final class TracesTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PUBLISHER = "00f067aa0ba902b7";
  private static final String PARENT = "00-" + TRACE + "-" + PUBLISHER + "-01";
  private static final TaskTemplate TASKS = new TaskTemplate("shop", "ns", "send", 20, 1);

  private static final int MANY = 2_000;

  @TempDir private static Path kafkaDir;
  private static EmbeddedKafka kafka;
  private static KafkaProducer<byte[], byte[]> producer;

  @TempDir private Path dir;
  private final int metricsPort = Ports.free();
  private final ExecutionLog log = new ExecutionLog(MANY);
  private final List<TaskActivation> received = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void startKafka() {
    kafka = EmbeddedKafka.start(kafkaDir);
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @AfterAll
  static void stopKafka() {
    producer.close();
    kafka.close();
  }

  @Test
  void oneTraceFromThePublisherThroughARetryToTheEnd() throws IOException {
    int port = Ports.free();
    try (var receiver = OtlpReceiver.start();
        var worker = worker(port, start -> start == 1 ? retry() : Behaviour.Run.completing(1));
        var broker = broker("traced", port, worker, receiver.url())) {
      publish("traced", TASKS.deadLettered(0, 3).build(), PARENT);

      awaitStays(receiver, 2);
      assertThat(broker.failure()).isEmpty();
      // Two stays with their children, which may end, and be exported, after them.
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(receiver.spans()).hasSizeGreaterThanOrEqualTo(2 + 4 + 3));
      List<ReceivedSpan> spans = receiver.spans();

      assertThat(spans).extracting(ReceivedSpan::traceId).containsOnly(TRACE);
      List<ReceivedSpan> stays = named(spans, "in-flight shop");
      assertThat(stays).extracting(ReceivedSpan::parent).containsOnly(PUBLISHER);
      ReceivedSpan first = stays.getFirst();
      ReceivedSpan second = stays.getLast();
      assertThat(first.attribute("taskbroker.outcome")).isEqualTo("retried");
      assertThat(second.attribute("taskbroker.outcome")).isEqualTo("completed");
      assertThat(second.attribute("taskbroker.attempt")).isEqualTo("2");
      assertThat(second.attribute("messaging.message.conversation_id"))
          .isEqualTo(first.attribute("messaging.message.id"));
      assertThat(childrenOf(first, spans))
          .containsExactlyInAnyOrder(
              "receive traced-tasks", "deliver shop", "report shop", "send traced-tasks");
      assertThat(childrenOf(second, spans))
          .containsExactlyInAnyOrder("receive traced-tasks", "deliver shop", "report shop");

      ReceivedSpan failed = deliveryOf(first, spans);
      assertThat(failed.failed()).isTrue();
      assertThat(failed.attribute("error.type")).isEqualTo("retry");
      assertThat(failed.attribute("taskbroker.delivery")).isEqualTo("1");
      assertThat(failed.attribute("taskbroker.worker")).isEqualTo("127.0.0.1:" + worker.port());
      assertThat(failed.kind()).isEqualTo(SpanKind.SPAN_KIND_CLIENT);
      assertThat(failed.links()).containsExactly(PUBLISHER);
      assertThat(deliveryOf(second, spans).failed()).isFalse();

      ReceivedSpan consumed = named(spans, "receive traced-tasks").getFirst();
      assertThat(consumed.attribute("messaging.system")).isEqualTo("kafka");
      assertThat(consumed.attribute("messaging.kafka.offset")).isEqualTo("0");
      assertThat(consumed.links()).containsExactly(PUBLISHER);
      assertThat(first.from()).isLessThanOrEqualTo(failed.from());
      assertThat(failed.to()).isLessThanOrEqualTo(first.to());
      assertThat(receiver.resources().getFirst()).containsEntry("service.name", "taskbroker");
      // The worker of each attempt sees the context, though the publisher put it beside the task.
      assertThat(received)
          .extracting(task -> task.getHeadersOrDefault("traceparent", ""))
          .containsExactly(PARENT, PARENT);
    }
  }

  @Test
  void aTraceThatItsPublisherDoesNotSampleHasNoSpans() throws IOException {
    int port = Ports.free();
    try (var receiver = OtlpReceiver.start();
        var worker = worker(port, _ -> Behaviour.Run.completing(1));
        var broker = broker("quiet", port, worker, receiver.url())) {
      String other = "5bf92f3577b34da6a3ce929d0e0e4736";
      publish("quiet", TASKS.task(1).build(), "00-" + other + "-" + PUBLISHER + "-00");
      publish("quiet", TASKS.task(2).build(), PARENT);

      awaitStays(receiver, 1);
      assertThat(broker.failure()).isEmpty();
      assertThat(received).hasSize(2);
      assertThat(receiver.spans()).extracting(ReceivedSpan::traceId).containsOnly(TRACE);
    }
  }

  /// A receiver that hangs costs spans and nothing else; latencies have their traces as exemplars.
  @Test
  void aReceiverThatHangsDelaysNothing() throws Exception {
    int port = Ports.free();
    try (var receiver = OtlpReceiver.hanging();
        var worker = worker(port, _ -> Behaviour.Run.completing(0));
        var broker = broker("hung", port, worker, receiver.url())) {
      for (int i = 0; i < MANY; i++) {
        publish("hung", TASKS.task(i).build(), PARENT);
      }
      await().atMost(Duration.ofSeconds(60)).until(() -> log.completedTasks() == MANY);
      assertThat(broker.failure()).isEmpty();
      String dropped = "taskbroker_telemetry_dropped_total{channel=\"traces\"} ";
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() ->
              assertThat(page("text/plain").lines())
                  .anyMatch(line -> line.startsWith(dropped) && !line.endsWith(" 0.0")));
      assertThat(page("text/plain")).doesNotContain("trace_id");
      assertThat(page("application/openmetrics-text").lines())
          .anyMatch(line ->
              line.startsWith("taskbroker_push_received_to_claimed_latency_seconds_bucket")
                  && line.contains("# {trace_id=\"" + TRACE + "\"}"));
    }
  }

  private String page(String accept) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + metricsPort + "/metrics"))
            .header("Accept", accept)
            .build();
    try (var client = HttpClient.newHttpClient()) {
      return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
  }

  private static void awaitStays(OtlpReceiver receiver, int number) {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() ->
            assertThat(named(receiver.spans(), "in-flight shop"))
                .as("%s", receiver.spans())
                .hasSize(number));
  }

  /// Long enough for the answer of the call, which names the worker, to be there before the report.
  private static Behaviour.Run retry() {
    return Behaviour.Run.retrying(1_000, 3, 0);
  }

  private static List<ReceivedSpan> named(List<ReceivedSpan> spans, String name) {
    return spans.stream().filter(span -> span.name().equals(name)).toList();
  }

  private static List<String> childrenOf(ReceivedSpan parent, List<ReceivedSpan> spans) {
    return spans.stream()
        .filter(span -> span.parent().equals(parent.id()))
        .map(ReceivedSpan::name)
        .toList();
  }

  private static ReceivedSpan deliveryOf(ReceivedSpan stay, List<ReceivedSpan> spans) {
    return spans.stream()
        .filter(span -> span.parent().equals(stay.id()) && span.name().startsWith("deliver"))
        .findFirst()
        .orElseThrow();
  }

  private interface Decision {
    Behaviour.Run of(int start);
  }

  private PushWorker worker(int port, Decision decision) {
    return PushWorker.start(
        WorkerOptions.of("127.0.0.1:" + port),
        (activation, start) -> {
          received.add(activation);
          return decision.of(start);
        },
        log);
  }

  private static void publish(String name, TaskActivation task, String parent) {
    var record = new ProducerRecord<byte[], byte[]>(name + "-tasks", task.toByteArray());
    record.headers().add("traceparent", parent.getBytes(UTF_8));
    var _ = producer.send(record);
  }

  private EmbeddedBroker broker(String name, int port, PushWorker worker, String otlp)
      throws IOException {
    kafka.createTopic(name + "-tasks", 1);
    kafka.createTopic(name + "-dead-letters", 1);
    Path config = dir.resolve(name + ".yaml");
    Files.writeString(
        config,
        """
        delivery_mode: push
        worker_map: {shop: "%s"}
        grpc_addr: 127.0.0.1
        grpc_port: %d
        metrics_addr: 127.0.0.1:%d
        otlp_endpoint: "%s"
        kafka_clusters: {main: {address: "%s"}}
        kafka_topics:
          %s-tasks: {cluster: main, consumer_group: %s}
          %s-dead-letters: {cluster: main, consumer_group: %s, produce_only: true}
        kafka_deadletter_topic: %s-dead-letters
        kafka_auto_offset_reset: earliest
        store: {sqlite: {path: "%s"}}
        """
            .formatted(
                worker.url(),
                port,
                metricsPort,
                otlp,
                kafka.bootstrap(),
                name,
                name,
                name,
                name,
                name,
                dir.resolve(name + ".sqlite")));
    return EmbeddedBroker.start(config);
  }
}
