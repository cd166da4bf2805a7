package io.taskbroker.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/// Client of `TaskService`: a process that is told line by line what to call, and repeats an
/// enqueue until it is answered. Not thread-safe.
final class Enqueuer implements AutoCloseable {
  private static final ObjectMapper JSON = new JsonMapper();

  private final PythonProcess process;

  Enqueuer(PythonProcess process) {
    this.process = process;
  }

  /// A `NewTask` in the JSON of protobuf.
  ///
  /// @param arguments what the worker does, see `direct/work.py`
  /// @param options other fields of the task
  static Map<String, Object> task(
      String id, String name, Map<String, Object> arguments, Map<String, Object> options) {
    byte[] json = JSON.writeValueAsString(arguments).getBytes(UTF_8);
    var task = new LinkedHashMap<String, Object>();
    task.put("id", id);
    task.put("name", name);
    task.put("application", ProtocolDeployment.APPLICATION);
    task.put("arguments", Base64.getEncoder().encodeToString(json));
    task.putAll(options);
    return Map.of("task", task);
  }

  /// Enqueues by a unary call; one result for each task, without the prefixes of its values.
  List<String> enqueue(List<Map<String, Object>> tasks) {
    return results(send(Map.of("do", "enqueue", "tasks", tasks)));
  }

  /// Enqueues by one stream of requests.
  List<String> stream(List<List<Map<String, Object>>> requests) {
    return results(send(Map.of("do", "stream", "requests", requests)));
  }

  /// Calls Get, Cancel, Await or Explain; `found` says whether the broker knows the task.
  JsonNode ask(String method, String id) {
    return send(Map.of("do", "ask", "method", method, "id", id));
  }

  /// The outcome of a task, once it has ended.
  String outcome(String id) {
    return ask("Await", id)
        .path("outcome")
        .path("kind")
        .asString("none")
        .replace("OUTCOME_KIND_", "");
  }

  private static List<String> results(JsonNode answer) {
    return answer.path("results").valueStream().map(Enqueuer::result).toList();
  }

  private static String result(JsonNode result) {
    String status = result.path("status").asString().replace("ENQUEUE_STATUS_", "");
    return result.has("reason")
        ? status + " " + result.path("reason").asString().replace("REJECT_REASON_", "")
        : status;
  }

  JsonNode send(Map<String, Object> wish) {
    try {
      process.input().write(JSON.writeValueAsString(wish));
      process.input().newLine();
      process.input().flush();
      @Nullable String answer = process.output().readLine();
      if (answer == null) {
        throw new IllegalStateException("The enqueuer ended before " + wish.get("do"));
      }
      return JSON.readTree(answer);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not " + wish.get("do"), e);
    }
  }

  @Override
  public void close() {
    process.close();
  }
}
