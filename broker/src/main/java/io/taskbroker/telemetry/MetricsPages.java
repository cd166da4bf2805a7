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
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Request handler for `/metrics`, in the format that the request asks for, and `/health`. Confined
/// to one event loop.
final class MetricsPages {
  private static final String TEXT = "text/plain; charset=utf-8";

  private final BooleanSupplier ready;
  private final Supplier<List<String>> troubles;
  private final MetricsPage text;
  private final MetricsPage openMetrics;
  private final ExpositionFormatWriter openMetricsWriter = OpenMetricsTextFormatWriter.create();

  /// @param troubles further lines of the health response
  MetricsPages(Metrics metrics, BooleanSupplier ready, Supplier<List<String>> troubles) {
    this.ready = ready;
    this.troubles = troubles;
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
          case "/health" ->
              ready.getAsBoolean()
                  ? text(HttpResponseStatus.OK, "ready\n" + troubles())
                  : text(HttpResponseStatus.SERVICE_UNAVAILABLE, "not ready\n" + troubles());
          default -> text(HttpResponseStatus.NOT_FOUND, "Not found; try /metrics or /health\n");
        };
    return head ? withoutBody(answer) : answer;
  }

  private String troubles() {
    return String.join("", troubles.get().stream().map(line -> line + "\n").toList());
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
