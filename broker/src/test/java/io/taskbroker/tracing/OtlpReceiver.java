package io.taskbroker.tracing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Receiver of OTLP over HTTP, such as a collector. Thread-safe.
final class OtlpReceiver implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch hanging;
  private final List<ReceivedSpan> spans = new CopyOnWriteArrayList<>();
  private final List<Map<String, String>> resources = new CopyOnWriteArrayList<>();

  /// Span that arrived; ids are hexadecimal, times are milliseconds since the epoch.
  record ReceivedSpan(
      String name,
      Span.SpanKind kind,
      String traceId,
      String id,
      String parent,
      List<String> links,
      long from,
      long to,
      boolean failed,
      Map<String, String> attributes) {
    String attribute(String key) {
      return attributes.getOrDefault(key, "");
    }
  }

  private OtlpReceiver(boolean hangs) throws IOException {
    hanging = new CountDownLatch(hangs ? 1 : 0);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/v1/traces", this::receive);
    server.start();
  }

  static OtlpReceiver start() {
    return start(false);
  }

  /// One that accepts connections and never answers.
  static OtlpReceiver hanging() {
    return start(true);
  }

  private static OtlpReceiver start(boolean hangs) {
    try {
      return new OtlpReceiver(hangs);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start an OTLP receiver", e);
    }
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /// All spans so far, in the order of their arrival.
  List<ReceivedSpan> spans() {
    return List.copyOf(spans);
  }

  /// Attributes of the senders.
  List<Map<String, String>> resources() {
    return List.copyOf(resources);
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      hanging.await();
      var request = ExportTraceServiceRequest.parseFrom(exchange.getRequestBody());
      request
          .getResourceSpansList()
          .forEach(resource -> {
            resources.add(attributes(resource.getResource().getAttributesList()));
            resource
                .getScopeSpansList()
                .forEach(scope -> scope.getSpansList().forEach(span -> spans.add(received(span))));
          });
      byte[] answer = ExportTraceServiceResponse.getDefaultInstance().toByteArray();
      exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
      exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
      exchange.getResponseBody().write(answer);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static ReceivedSpan received(Span span) {
    return new ReceivedSpan(
        span.getName(),
        span.getKind(),
        hex(span.getTraceId().toByteArray()),
        hex(span.getSpanId().toByteArray()),
        hex(span.getParentSpanId().toByteArray()),
        span.getLinksList().stream().map(link -> hex(link.getSpanId().toByteArray())).toList(),
        span.getStartTimeUnixNano() / 1_000_000,
        span.getEndTimeUnixNano() / 1_000_000,
        span.getStatus().getCodeValue() == 2,
        attributes(span.getAttributesList()));
  }

  private static Map<String, String> attributes(List<KeyValue> all) {
    var attributes = new HashMap<String, String>();
    for (KeyValue each : all) {
      AnyValue value = each.getValue();
      attributes.put(
          each.getKey(),
          value.hasStringValue() ? value.getStringValue() : Long.toString(value.getIntValue()));
    }
    return attributes;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Override
  public void close() {
    hanging.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
