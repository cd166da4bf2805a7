package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/// Counters of the broker from its Prometheus endpoint; labelled counters are summed.
final class Scrape {
  static final String COMMITS = "taskbroker_store_commit_changes_count";
  static final String CHANGES = "taskbroker_store_commit_changes_sum";

  static final String STORED = "taskbroker_consumer_inflight_activation_writer_stored_total";

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private Scrape() {}

  /// @return empty if the broker has no endpoint
  static Map<String, Double> of(int port) throws InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
            .timeout(TIMEOUT)
            .build();
    try (var client = HttpClient.newHttpClient()) {
      return parse(client.send(request, BodyHandlers.ofString(UTF_8)).body());
    } catch (IOException _) {
      return Map.of();
    }
  }

  static Map<String, Double> parse(String text) {
    var values = new HashMap<String, Double>();
    for (String line : text.split("\n", 0)) {
      int end = line.lastIndexOf(' ');
      if (end < 0 || line.startsWith("#")) {
        continue;
      }
      int labels = line.indexOf('{');
      String name = line.substring(0, labels < 0 ? end : labels);
      try {
        values.merge(name, Double.parseDouble(line.substring(end + 1)), Double::sum);
      } catch (NumberFormatException _) {
        // Not a number, such as +Inf.
      }
    }
    return values;
  }
}
