package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Folder of results: one JSON file per benchmark, with machine, commit, date and options.
final class Results {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
  private static final long GIT_SECONDS = 10;

  private final Path dir;

  Results(Path dir) {
    this.dir = dir;
  }

  /// Writes the result of a benchmark, replacing an earlier one.
  ///
  /// @param options of the benchmark
  Path write(String name, Map<String, ?> options, Map<String, ?> figures) {
    var result = new LinkedHashMap<String, Object>();
    result.put("name", name);
    result.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    result.put("commit", commit());
    result.put("machine", machine());
    result.put("options", options);
    result.put("figures", figures);
    try {
      Files.createDirectories(dir);
      Path file = dir.resolve(name + ".json");
      Files.writeString(file, JSON.writeValueAsString(result) + "\n", UTF_8);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException("Could not write a result to " + dir, e);
    }
  }

  /// All results, by name.
  Map<String, JsonNode> all() {
    var results = new TreeMap<String, JsonNode>();
    if (!Files.isDirectory(dir)) {
      return results;
    }
    try (Stream<Path> files = Files.list(dir)) {
      files
          .filter(file -> file.toString().endsWith(".json"))
          .forEach(file -> {
            JsonNode result = JSON.readTree(file.toFile());
            if (result.has("name")) {
              results.put(result.get("name").asString(), result);
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read the results in " + dir, e);
    }
    return results;
  }

  /// Commit of the sources; with a `+` if the working tree has changes.
  private static String commit() {
    String root = System.getProperty("benchmarks.root", ".");
    return git(root, "rev-parse", "--short=12", "HEAD")
        .map(commit -> commit + git(root, "status", "--porcelain").map(changes -> "+").orElse(""))
        .orElse("unknown");
  }

  private static Optional<String> git(String root, String... arguments) {
    try {
      var builder = new ProcessBuilder("git", "-C", root);
      builder.command().addAll(List.of(arguments));
      Process git = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String output = new String(git.getInputStream().readAllBytes(), UTF_8).strip();
      boolean ended = git.waitFor(GIT_SECONDS, TimeUnit.SECONDS) && git.exitValue() == 0;
      return ended && !output.isEmpty() ? Optional.of(output) : Optional.empty();
    } catch (IOException _) {
      return Optional.empty();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private static Map<String, Object> machine() {
    var machine = new LinkedHashMap<String, Object>();
    machine.put("processor", line("/proc/cpuinfo", "model name"));
    machine.put("cores", Runtime.getRuntime().availableProcessors());
    machine.put("memory", line("/proc/meminfo", "MemTotal"));
    machine.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    machine.put("java", System.getProperty("java.vm.version"));
    machine.put("load_before", line("/proc/loadavg", ""));
    return machine;
  }

  private static String line(String file, String key) {
    try {
      return Files.readAllLines(Path.of(file), UTF_8).stream()
          .filter(line -> line.startsWith(key))
          .findFirst()
          .map(line -> key.isEmpty() ? line : line.substring(line.indexOf(':') + 1).strip())
          .orElse("unknown");
    } catch (IOException _) {
      return "unknown";
    }
  }
}
