package io.taskbroker.telemetry;

import static io.netty.handler.codec.http.HttpHeaderNames.ACCEPT;
import static io.netty.handler.codec.http.HttpHeaderNames.ALLOW;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_LENGTH;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_TYPE;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.taskbroker.runtime.HealthReport;
import java.util.function.Supplier;

/// Request handler for `/metrics`, in the format that the request asks for, and health. Confined to
/// one event loop.
final class MetricsPages {
  private static final String JSON = "application/json";
  private static final String TEXT = "text/plain; charset=utf-8";

  private final Supplier<HealthReport> health;
  private final MetricsPage text;
  private final MetricsPage openMetrics;
  private final ExpositionFormatWriter openMetricsWriter = OpenMetricsTextFormatWriter.create();

  /// @param health the latest report
  MetricsPages(Metrics metrics, Supplier<HealthReport> health) {
    this.health = health;
    this.text = new MetricsPage(metrics, PrometheusTextFormatWriter.create());
    this.openMetrics = new MetricsPage(metrics, openMetricsWriter);
  }

  FullHttpResponse answer(HttpRequest request) {
    if (request.decoderResult().isFailure()) {
      return request.decoderResult().cause() instanceof TooLongFrameException
          ? text(HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request is too large\n")
          : text(HttpResponseStatus.BAD_REQUEST, "Not an HTTP/1.1 request\n");
    }
    boolean head = request.method().equals(HttpMethod.HEAD);
    if (!head && !request.method().equals(HttpMethod.GET)) {
      FullHttpResponse answer =
          text(HttpResponseStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are supported\n");
      answer.headers().set(ALLOW, "GET, HEAD");
      return answer;
    }
    FullHttpResponse answer =
        switch (path(request.uri())) {
          case "/metrics" -> metrics(request);
          case "/health", "/readyz" -> {
            HealthReport report = health.get();
            yield health(request, report.ready(), report.ready() ? "ready" : "not ready", report);
          }
          case "/livez" -> {
            HealthReport report = health.get();
            yield health(request, report.live(), report.live() ? "live" : "not live", report);
          }
          default ->
              text(
                  HttpResponseStatus.NOT_FOUND,
                  "Not found; try /metrics, /health, /readyz or /livez\n");
        };
    return head ? withoutBody(answer) : answer;
  }

  private static FullHttpResponse health(
      HttpRequest request, boolean good, String status, HealthReport report) {
    HttpResponseStatus code = good ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE;
    String accept = request.headers().get(ACCEPT, "");
    return accept.contains(JSON) || request.uri().endsWith("?format=json")
        ? answer(code, JSON, Unpooled.copiedBuffer(HealthPage.json(status, report), UTF_8))
        : text(code, HealthPage.text(status, report));
  }

  /// Releases the cached pages.
  void close() {
    text.close();
    openMetrics.close();
  }

  private FullHttpResponse metrics(HttpRequest request) {
    boolean open = openMetricsWriter.accepts(request.headers().get(ACCEPT));
    MetricsPage page = open ? openMetrics : text;
    return answer(HttpResponseStatus.OK, page.contentType(), page.content());
  }

  private static String path(String uri) {
    int end = uri.indexOf('?');
    return end < 0 ? uri : uri.substring(0, end);
  }

  private static FullHttpResponse text(HttpResponseStatus status, String body) {
    return answer(status, TEXT, Unpooled.copiedBuffer(body, UTF_8));
  }

  private static FullHttpResponse answer(HttpResponseStatus status, String type, ByteBuf body) {
    var answer = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
    answer.headers().set(CONTENT_TYPE, type).setInt(CONTENT_LENGTH, body.readableBytes());
    return answer;
  }

  private static FullHttpResponse withoutBody(FullHttpResponse answer) {
    answer.content().clear();
    return answer;
  }
}
