package io.taskbroker.benchmarks;

import io.taskbroker.testkit.ExecutionLog;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// An operator who searches all tasks in flight, once a second.
final class SearchLoad extends AlternatingLoad {
  /// A search that nothing matches reads everything.
  private static final String SEARCH = "/v1/tasks?taskname=no-such-task&limit=1&cursor=";

  private final JsonMapper json = JsonMapper.builder().build();

  SearchLoad(int adminPort, ExecutionLog log, Duration period) {
    super("searches", adminPort, log, Duration.ofSeconds(1), period);
  }

  /// One search, to its last page.
  @Override
  boolean use() throws InterruptedException {
    String cursor = "";
    boolean answered = true;
    do {
      try {
        HttpResponse<byte[]> page =
            http.send(
                HttpRequest.newBuilder(URI.create(url + SEARCH + cursor)).timeout(TIMEOUT).build(),
                HttpResponse.BodyHandlers.ofByteArray());
        JsonNode answer = json.readTree(page.body());
        answered &= page.statusCode() == 200;
        cursor = answer.path("cursor").asString("");
      } catch (IOException _) {
        return false;
      }
    } while (!cursor.isEmpty());
    return answered;
  }

  Map<String, Object> figures() {
    return figures("searches");
  }
}
