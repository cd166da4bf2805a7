package io.taskbroker.cli;

import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;

/// The HTTP pages of a real broker at `metrics_addr`: health and metrics.
final class BrokerPages implements AutoCloseable {
  private final HttpClient client = HttpClient.newHttpClient();
  private final int port;

  private BrokerPages(int port) {
    this.port = port;
  }

  /// Pages of a broker that is started after this.
  static BrokerPages of(BrokerSetup setup) {
    int port = Ports.free();
    setup.with("metrics_addr", "127.0.0.1:" + port).with("upkeep_task_interval_ms", "200");
    return new BrokerPages(port);
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + port + path);
    return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  int status(String path) throws IOException, InterruptedException {
    return get(path).statusCode();
  }

  /// Labels of the conditions that `/health` names.
  List<String> conditions() throws IOException, InterruptedException {
    return get("/health").body().lines().skip(1).map(line -> line.split(" ", 2)[0]).toList();
  }

  /// Sum of the samples of a metric that have these labels; 0 without any.
  ///
  /// @param labels each as `name="value"`
  double metric(String name, String... labels) throws IOException, InterruptedException {
    return get("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .filter(line -> Arrays.stream(labels).allMatch(line::contains))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
