package io.taskbroker.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/// What the tasks of an application noted in a file, one JSON object a line. Thread-safe.
record Journal(Path file) {
  private static final ObjectMapper JSON = new JsonMapper();

  /// One run of a task.
  ///
  /// @param at seconds since 1970, by the clock of this machine
  /// @param outcome `returned`, the name of what was raised, or empty while it runs or if its
  ///   process died
  record Run(
      String task,
      String id,
      int attempt,
      boolean retriesRemaining,
      double at,
      JsonNode args,
      JsonNode kwargs,
      String outcome) {
    boolean isOver() {
      return !outcome.isEmpty();
    }
  }

  /// All notes of a kind.
  Stream<JsonNode> notes(String event) {
    return lines().filter(note -> note.path("event").asString().equals(event));
  }

  /// The runs of a task, in the order of their starts.
  List<Run> runs(String task) {
    return runs().filter(run -> run.task().equals(task)).toList();
  }

  /// All runs, in the order of their starts.
  Stream<Run> runs() {
    Map<String, Run> runs = new LinkedHashMap<>();
    lines()
        .forEach(note -> {
          String run = note.path("run").asString("");
          switch (note.path("event").asString()) {
            case "start" -> runs.put(run, started(note));
            case "end" ->
                runs.computeIfPresent(
                    run, (_, before) -> ended(before, note.path("outcome").asString()));
            default -> {}
          }
        });
    return runs.values().stream();
  }

  private static Run started(JsonNode note) {
    return new Run(
        note.path("task").asString(),
        note.path("id").asString(),
        note.path("attempt").asInt(),
        note.path("retries_remaining").asBoolean(),
        note.path("at").asDouble(),
        note.path("args"),
        note.path("kwargs"),
        "");
  }

  private static Run ended(Run run, String outcome) {
    return new Run(
        run.task(),
        run.id(),
        run.attempt(),
        run.retriesRemaining(),
        run.at(),
        run.args(),
        run.kwargs(),
        outcome);
  }

  private Stream<JsonNode> lines() {
    if (!Files.exists(file)) {
      return Stream.empty();
    }
    try {
      var notes = new ArrayList<JsonNode>();
      String text = new String(Files.readAllBytes(file), UTF_8);
      for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
        notes.add(JSON.readTree(line));
      }
      return notes.stream();
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read " + file, e);
    }
  }
}
