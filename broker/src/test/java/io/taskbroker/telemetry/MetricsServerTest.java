package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.HealthReport;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Responses to Prometheus and to health checks.
@Timeout(240)
final class MetricsServerTest {
  private final Metrics metrics = new Metrics();
  private final MetricsServer server = new MetricsServer(metrics, address(0), true);
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void stop() {
    server.stop();
    client.close();
  }

  @Test
  void metricsHaveConventionalNamesAndUnits() throws Exception {
    server.start();
    metrics.setStatus.of("ok", "Complete").inc(7);
    metrics.receivedToPush.of("ns", "t").observe(0.25);
    metrics.databaseSize.set(4_096);

    HttpResponse<String> response = get("/metrics");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type"))
        .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
    assertThat(response.body().lines())
        .contains(
            "# TYPE taskbroker_grpc_server_set_status_total counter",
            "taskbroker_grpc_server_set_status_total{result=\"ok\",status=\"Complete\"} 7.0",
            "taskbroker_push_received_to_push_latency_seconds_bucket{namespace=\"ns\",taskname=\"t\",le=\"0.1\"}"
                + " 0",
            "taskbroker_push_received_to_push_latency_seconds_bucket{namespace=\"ns\",taskname=\"t\",le=\"0.25\"}"
                + " 1",
            "taskbroker_push_received_to_push_latency_seconds_sum{namespace=\"ns\",taskname=\"t\"}"
                + " 0.25",
            "taskbroker_upkeep_db_file_size_bytes 4096.0");
  }

  @Test
  void healthReportsReadiness() throws Exception {
    server.start();

    assertThat(get("/health").statusCode()).isEqualTo(503);
    assertThat(get("/health").body()).contains("starting (broker), since ");
    server.setHealth(report(true, true, System.nanoTime()));
    assertThat(get("/health").statusCode()).isEqualTo(200);
    assertThat(get("/readyz").body()).isEqualTo("ready\n");
    server.setHealth(report(true, false, System.nanoTime()));
    assertThat(get("/health").statusCode()).isEqualTo(503);
    assertThat(get("/readyz").statusCode()).isEqualTo(503);
    assertThat(get("/livez").statusCode()).isEqualTo(200);
    server.setHealth(report(false, false, System.nanoTime()));
    assertThat(get("/livez").statusCode()).isEqualTo(503);
  }

  @Test
  void healthNamesStageTimeReasonAndAction() throws Exception {
    server.start();
    var full = new Condition(Condition.Kind.STORE_FULL, "store-committer", "no \"space\"");
    server.setHealth(
        report(true, true, System.nanoTime(), new HealthReport.Entry(full, 1_000, 12)));

    assertThat(get("/health").body())
        .isEqualTo(
            "ready\nstore_full (store-committer), since 1970-01-01T00:00:01Z, for 12 s: no"
                + " \"space\". To do: Free space on the disk of the store; deletes continue,"
                + " intake waits.\n");
    HttpResponse<String> json = get("/readyz?format=json");
    assertThat(json.headers().firstValue("Content-Type")).hasValue("application/json");
    assertThat(json.body())
        .isEqualTo(
            "{\"status\":\"ready\",\"live\":true,\"ready\":true,\"conditions\":[{"
                + "\"condition\":\"store_full\",\"stage\":\"store-committer\","
                + "\"since\":\"1970-01-01T00:00:01Z\",\"for_seconds\":12,"
                + "\"reason\":\"no \\\"space\\\"\",\"action\":\"Free space on the disk of the"
                + " store; deletes continue, intake waits.\"}]}\n");
  }

  @Test
  void aStaleReportMeansAStoppedWatchdog() throws Exception {
    server.start();
    server.setHealth(report(true, true, System.nanoTime() - 31_000_000_000L));

    assertThat(get("/livez").statusCode()).isEqualTo(503);
    assertThat(get("/readyz").body()).contains("stage_stuck (watchdog)", "for 31 s");
  }

  private static HealthReport report(
      boolean live, boolean ready, long takenAt, HealthReport.Entry... entries) {
    return new HealthReport(live, ready, takenAt, List.of(entries));
  }

  @Test
  void otherPathsAndMethodsAreRefused() throws Exception {
    server.start();

    assertThat(get("/").statusCode()).isEqualTo(404);
    assertThat(get("/metrics/../etc/passwd").statusCode()).isEqualTo(404);
    HttpRequest post =
        HttpRequest.newBuilder(uri("/metrics"))
            .POST(HttpRequest.BodyPublishers.ofString("x"))
            .build();
    assertThat(client.send(post, HttpResponse.BodyHandlers.discarding()).statusCode())
        .isEqualTo(405);
  }

  @Test
  void aBusyAddressIsAnErrorIfConfiguredElseAWarning() throws Exception {
    try (var other = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      var required = new MetricsServer(metrics, address(other.getLocalPort()), true);
      var optional = new MetricsServer(metrics, address(other.getLocalPort()), false);

      assertThatThrownBy(required::start)
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("127.0.0.1:" + other.getLocalPort())
          .hasMessageContaining("metrics_addr");
      optional.start();
      assertThat(optional.port()).isEqualTo(-1);
      optional.stop();
    }
  }

  private HttpResponse<String> get(String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  private static InetSocketAddress address(int port) {
    return InetSocketAddress.createUnresolved("127.0.0.1", port);
  }
}
