package io.taskbroker.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/// The side of the application that publishes tasks: a process of the client, told what to dispatch
/// line by line. It ends when all it was told is in Kafka. Not thread-safe.
final class Dispatcher implements AutoCloseable {
  private static final ObjectMapper JSON = new JsonMapper();
  private static final Duration END = Duration.ofSeconds(40);

  private final PythonProcess process;

  Dispatcher(PythonProcess process) {
    this.process = process;
  }

  /// When a task was dispatched: a time before, and a time after; seconds since 1970.
  record Dispatched(double before, double after) {}

  /// `task.delay(…)`; a task is `namespace:name`.
  Dispatched delay(String task, Object... args) {
    return send(wish(task, List.of(args)));
  }

  /// `task.apply_async(…)`.
  ///
  /// @param options of `kwargs`, `headers`, `countdown`, `expires` and `external`
  Dispatched applyAsync(String task, List<Object> args, Map<String, Object> options) {
    Map<String, Object> wish = wish(task, args);
    wish.putAll(options);
    return send(wish);
  }

  /// Bytes as an argument.
  static Map<String, String> bytes(byte... bytes) {
    return Map.of("base64", Base64.getEncoder().encodeToString(bytes));
  }

  private static Map<String, Object> wish(String task, List<Object> args) {
    var wish = new LinkedHashMap<String, Object>();
    wish.put("task", task);
    wish.put("args", new ArrayList<>(args));
    return wish;
  }

  private Dispatched send(Map<String, Object> wish) {
    try {
      process.input().write(JSON.writeValueAsString(wish));
      process.input().newLine();
      process.input().flush();
      @Nullable String answer = process.output().readLine();
      if (answer == null) {
        throw new IllegalStateException("The dispatcher ended before " + wish.get("task"));
      }
      JsonNode said = JSON.readTree(answer);
      if (!said.path("error").isNull()) {
        throw new IllegalStateException("Dispatching %s: %s".formatted(wish.get("task"), said));
      }
      return new Dispatched(said.path("before").asDouble(), said.path("after").asDouble());
    } catch (IOException e) {
      throw new UncheckedIOException("Could not dispatch " + wish.get("task"), e);
    }
  }

  /// Returns when Kafka has all of it.
  void finish() throws IOException, InterruptedException {
    process.input().close();
    int code = process.awaitEnd(END);
    if (code != 0) {
      throw new IllegalStateException("The dispatcher ended with " + code);
    }
  }

  @Override
  public void close() {
    process.close();
  }
}
