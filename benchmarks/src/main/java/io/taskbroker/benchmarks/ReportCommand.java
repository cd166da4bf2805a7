package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.benchmarks.Plot.Point;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `report`: writes the tables of a document, and plots, from results.
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = "Writes the plots, and the tables between the markers of a document.")
final class ReportCommand implements Callable<Integer> {
  @Mixin private OutputOptions output;

  @Option(
      names = "--document",
      defaultValue = "docs/benchmarks.md",
      description = "Document whose tables are replaced between <!-- NAME --> and <!-- end -->.")
  private Path document;

  @Override
  public Integer call() throws IOException {
    Map<String, JsonNode> results = new Results(output.results).all();
    var tables = new Tables(results);
    String text = Files.readString(document, UTF_8);
    text = replace(text, "machine", tables.machine());
    text = replace(text, "targets", tables.targets());
    text = replace(text, "runs", tables.runs());
    text = replace(text, "latencies", tables.latencies());
    text = replace(text, "counts", tables.counts());
    text = replace(text, "stages", tables.stages());
    text = replace(text, "scale", tables.scale());
    text = replace(text, "direct", tables.direct());
    text = replace(text, "restarts", tables.restarts());
    Path jmh = output.results.resolve("jmh.json");
    if (Files.exists(jmh)) {
      text = replace(text, "classes", Tables.classes(new JsonMapper().readTree(jmh.toFile())));
    }
    Files.writeString(document, text, UTF_8);
    write("throughput.svg", throughput(results));
    write("memory.svg", memory(results));
    write("batching.svg", batching(results));
    write("engine-scale.svg", scale(results));
    return 0;
  }

  private static String replace(String text, String marker, String table) {
    Pattern between =
        Pattern.compile("(<!-- " + marker + " -->\n).*?(<!-- end -->)", Pattern.DOTALL);
    return between.matcher(text).replaceAll("$1\n" + Matcher.quoteReplacement(table) + "\n\n$2");
  }

  private void write(String name, Plot plot) throws IOException {
    if (!plot.isEmpty()) {
      Files.writeString(output.results.resolve(name), plot.svg(), UTF_8);
    }
  }

  private static Plot throughput(Map<String, JsonNode> results) {
    var plot = new Plot("Completed tasks", "seconds", "tasks/s", false);
    for (String name :
        List.of(
            "push-sqlite",
            "push-sqlite-reports-64",
            "push-postgres",
            "pull-sqlite",
            "pull-postgres",
            "reference-push-sqlite",
            "reference-pull-sqlite")) {
      var points = new ArrayList<Point>();
      double before = 0;
      for (JsonNode completed : figures(results, name).path("completed_by_second")) {
        points.add(new Point(points.size() + 1, completed.asDouble() - before));
        before = completed.asDouble();
      }
      plot.line(name, points);
    }
    return plot;
  }

  private static Plot memory(Map<String, JsonNode> results) {
    var plot = new Plot("Resident memory of the broker", "seconds", "MB", false);
    for (String name : List.of("push-sqlite-memory", "drain", "push-sqlite-500-per-second")) {
      var points = new ArrayList<Point>();
      for (JsonNode megabytes : figures(results, name).path("resident_mb_by_second")) {
        points.add(new Point(points.size() + 1, megabytes.asDouble()));
      }
      plot.line(name, points);
    }
    return plot;
  }

  /// `batch-size-N-interval-M` by N, one line per M.
  private static Plot batching(Map<String, JsonNode> results) {
    var plot = new Plot("Batched status updates", "batch size", "tasks/s, steady", true);
    for (String interval : List.of("10", "100")) {
      var points = new ArrayList<Point>();
      for (int size : new int[] {1, 16, 128, 1024}) {
        String name = size == 1 ? "batch-size-1" : "batch-size-" + size + "-interval-" + interval;
        JsonNode rate = figures(results, name).path("steady_tasks_per_second");
        if (rate.isNumber()) {
          points.add(new Point(size, rate.asDouble()));
        }
      }
      plot.line("interval " + interval + " ms", points);
    }
    return plot;
  }

  private static Plot scale(Map<String, JsonNode> results) {
    var plot = new Plot("A task in the engine", "others", "ns", true);
    for (boolean delayed : new boolean[] {false, true}) {
      var points = new ArrayList<Point>();
      for (JsonNode point : figures(results, "engine-scale").path("points")) {
        if (point.get("delayed").asBoolean() == delayed) {
          points.add(
              new Point(point.get("others").asDouble(), point.get("ns_per_task").asDouble()));
        }
      }
      plot.line(delayed ? "others delayed" : "others with workers", points);
    }
    return plot;
  }

  private static JsonNode figures(Map<String, JsonNode> results, String name) {
    JsonNode result = results.get(name);
    return result == null ? JsonMapper.builder().build().createObjectNode() : result.get("figures");
  }
}
