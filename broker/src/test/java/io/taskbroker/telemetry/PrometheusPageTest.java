package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.taskbroker.Documents;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The Prometheus endpoint's page with a sample of each metric follows the rules of `promtool check
/// metrics`; it is left in `target/metrics.txt` for promtool itself (build/monitoring-check).
final class PrometheusPageTest {
  @Test
  void namesAndHelpFollowTheRulesOfPromtool() throws Exception {
    var metrics = new Metrics();
    metrics.declared().forEach(PrometheusPageTest::touch);
    List<String> page = page(metrics).lines().toList();

    Path folder = Documents.root().resolve("broker/target");
    if (Files.isDirectory(folder)) {
      Files.write(folder.resolve("metrics.txt"), page);
    }
    List<String> types = page.stream().filter(line -> line.startsWith("# TYPE ")).toList();
    assertThat(types).hasSizeGreaterThan(60);
    for (String line : types) {
      String name = line.split(" ", -1)[2];
      String type = line.split(" ", -1)[3];
      assertThat(page).anyMatch(each -> each.matches("# HELP " + name + " .+"));
      assertThat(name.endsWith("_total")).as(line).isEqualTo(type.equals("counter"));
      assertThat(name)
          .doesNotMatch(".*_(count|sum|bucket|gauge|counter|histogram|ms|millis|sec|mb|kb)")
          .doesNotContain("__", ":");
    }
  }

  private static void touch(Declared declared) {
    String[] tags = declared.tags().toArray(String[]::new);
    switch (declared.metric()) {
      case Counter counter -> counter.labelValues(tags).inc();
      case Gauge gauge -> gauge.labelValues(tags).set(1);
      case Histogram histogram -> histogram.labelValues(tags).observe(1);
      default -> throw new IllegalStateException(declared.exposed());
    }
  }

  private static String page(Metrics metrics) throws Exception {
    var server =
        new MetricsServer(metrics, InetSocketAddress.createUnresolved("127.0.0.1", 0), true);
    server.start();
    try (var client = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:" + server.port() + "/metrics");
      return client
          .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
          .body();
    } finally {
      server.stop();
    }
  }
}
