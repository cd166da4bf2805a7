package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Calls of an admin API that check each answer, problems included, against the schema that the
/// running server documents for it.
final class AdminCalls {
  static final JsonMapper JSON = JsonMapper.builder().build();

  private final HttpClient http = HttpClient.newHttpClient();
  private final SchemaRegistry schemas =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
  private final String url;
  private final JsonNode document;

  /// Operations that were called, such as `get /v1/tasks`.
  final Set<String> called = new HashSet<>();

  AdminCalls(int port) throws Exception {
    url = "http://127.0.0.1:" + port;
    document = JSON.readTree(raw("GET", "/openapi.json", null).body());
  }

  JsonNode document() {
    return document;
  }

  JsonNode get(String path) throws Exception {
    return call("GET", path, null, 200);
  }

  JsonNode post(String path, Map<String, Object> body) throws Exception {
    return call("POST", path, JSON.writeValueAsString(body), 200);
  }

  /// @return the answer, which has the status and the form that the document gives it
  JsonNode call(String method, String path, @Nullable String body, int status) throws Exception {
    HttpResponse<String> answer = raw(method, path, body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    JsonNode json = JSON.readTree(answer.body());
    JsonNode operation = operation(method, path);
    JsonNode content =
        operation.path("responses").path(status == 200 ? "200" : "default").path("content");
    String type = answer.headers().firstValue("Content-Type").orElseThrow();
    var schema = (ObjectNode) content.path(type).path("schema").deepCopy();
    assertThat(schema.isMissingNode()).as(type).isFalse();
    schema.set("components", document.path("components"));
    assertThat(schemas.getSchema(schema).validate(json)).as(json.toPrettyString()).isEmpty();
    return json;
  }

  private JsonNode operation(String method, String path) {
    String plain = path.split("\\?", 2)[0];
    for (var documented : document.path("paths").properties()) {
      String pattern = documented.getKey().replaceAll("\\{.*}", "[^/]+");
      JsonNode operation = documented.getValue().path(method.toLowerCase(Locale.ROOT));
      if (plain.matches(pattern) && !operation.isMissingNode()) {
        called.add(method.toLowerCase(Locale.ROOT) + " " + documented.getKey());
        return operation;
      }
    }
    throw new AssertionError("Not documented: " + method + " " + path);
  }

  HttpResponse<String> raw(String method, String path, @Nullable String body) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(Duration.ofSeconds(20))
            .header("Content-Type", "application/json")
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
