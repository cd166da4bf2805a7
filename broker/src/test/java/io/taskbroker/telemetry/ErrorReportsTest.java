package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/// Requests that Sentry receives, recorded by an HTTP server in its place.
@Timeout(240)
final class ErrorReportsTest {
  private final List<String> envelopes = new CopyOnWriteArrayList<>();
  private HttpServer sentry;

  @BeforeEach
  void serve() throws IOException {
    sentry = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
    sentry.createContext("/", this::take);
    sentry.start();
  }

  @AfterEach
  void stop() {
    sentry.stop(0);
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      InputStream body = exchange.getRequestBody();
      boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
      byte[] bytes = (zipped ? new GZIPInputStream(body) : body).readAllBytes();
      envelopes.add(exchange.getRequestURI().getPath() + "\n" + new String(bytes, UTF_8));
      exchange.sendResponseHeaders(200, -1);
    }
  }

  @Test
  void errorsBecomeEventsAndOtherLinesLogs() {
    ErrorReports reports = open();
    var log = (Logger) LoggerFactory.getLogger("io.taskbroker.test.Reported");
    log.setLevel(Level.DEBUG);
    reports.start();
    log.info("context");
    log.warn("a warning");
    log.debug("debug detail");
    log.atError()
        .addKeyValue("task_id", "task-1")
        .setCause(new IllegalStateException("boom"))
        .log("request failed");
    reports.stop();

    await().atMost(Duration.ofSeconds(60)).until(() -> !events().isEmpty());
    assertThat(events())
        .singleElement()
        .asString()
        .startsWith("/api/7/envelope/")
        .contains(
            "\"message\":\"request failed\"",
            "\"value\":\"boom\"",
            "\"environment\":\"staging\"",
            "\"region\":\"eu\"",
            "\"release\":\"taskbroker@",
            "\"level\":\"error\"")
        .contains("context");
    await().until(() -> all().contains("a warning"));
    assertThat(all()).contains("\"type\":\"log\"").doesNotContain("debug detail");
    log.error("after the end");
    assertThat(events()).hasSize(1);
  }

  @Test
  void anInvalidDsnIsReportedWithoutItsContent() {
    assertThatThrownBy(() -> ErrorReports.open("https://s3cret@/", Optional.empty(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("sentry_dsn")
        .hasMessageNotContaining("s3cret")
        .hasNoCause();
  }

  private ErrorReports open() {
    return ErrorReports.open(
        "http://public@127.0.0.1:" + sentry.getAddress().getPort() + "/7",
        Optional.of("staging"),
        Map.of("region", "eu"));
  }

  private List<String> events() {
    return envelopes.stream().filter(each -> each.contains("\"type\":\"event\"")).toList();
  }

  private String all() {
    return String.join("\n", envelopes);
  }
}
