package io.taskbroker.benchmarks;

import java.util.ArrayList;
import java.util.Map;
import java.util.StringJoiner;
import tools.jackson.databind.JsonNode;

/// Tables of `docs/benchmarks.md`, from results.
final class Tables {
  private final Map<String, JsonNode> results;

  Tables(Map<String, JsonNode> results) {
    this.results = results;
  }

  /// Machine, commit and date.
  String machine() {
    var lines = new StringJoiner("\n");
    results.values().stream()
        .map(result -> {
          JsonNode machine = result.get("machine");
          return "%s, %s cores, %s, %s, Java %s; commit `%s`, %s"
              .formatted(
                  text(machine, "processor"),
                  text(machine, "cores"),
                  text(machine, "memory"),
                  text(machine, "system"),
                  text(machine, "java"),
                  text(result, "commit"),
                  text(result, "date").replaceAll("T.*", ""));
        })
        .distinct()
        .forEach(line -> lines.add("- " + line));
    return lines.toString();
  }

  /// Target figures with the measured values.
  String targets() {
    return new Targets(results).toString();
  }

  /// All end-to-end runs.
  String runs() {
    var table =
        new Table(
            "run",
            "tasks/s, steady",
            "whole run",
            "first 15 s",
            "broker µs a task",
            "without JIT",
            "load program µs",
            "Kafka µs",
            "changes a transaction",
            "transactions/s",
            "resident MB, peak",
            "lost",
            "twice");
    endToEnd((name, figures) ->
        table.row(
            "`" + name + "`",
            show(figures, "steady_tasks_per_second"),
            show(figures, "tasks_per_second"),
            show(figures, "first_15s_tasks_per_second"),
            show(figures, "broker_cpu_us_per_task"),
            show(figures, "broker_cpu_us_per_task_without_jit"),
            show(figures, "load_cpu_us_per_task"),
            show(figures, "kafka_cpu_us_per_task"),
            show(figures, "changes_per_transaction"),
            show(figures, "transactions_per_second"),
            show(figures, "peak_resident_mb"),
            show(figures, "lost"),
            show(figures, "duplicates")));
    return table.toString();
  }

  /// Countable costs, independent of the load of the machine.
  String counts() {
    var table =
        new Table(
            "run",
            "bytes allocated a task",
            "bytes written a task",
            "write calls a task",
            "sleeps a task",
            "fsyncs a task",
            "fsyncs/s",
            "statements a task");
    endToEnd((name, figures) ->
        table.row(
            "`" + name + "`",
            show(figures, "allocated_bytes_per_task"),
            show(figures, "written_bytes_per_task"),
            show(figures, "write_calls_per_task"),
            show(figures, "sleeps_per_task"),
            show(figures, "fsyncs_per_task"),
            show(figures, "fsyncs_per_second"),
            show(figures, "statements_per_task")));
    return table.toString();
  }

  String latencies() {
    var table =
        new Table(
            "run, milliseconds",
            "delivery p50",
            "p90",
            "p99",
            "p99.9",
            "max",
            "report p50",
            "p99",
            "p99.9");
    endToEnd((name, figures) -> {
      JsonNode delivery = figures.get("delivery_us");
      JsonNode report = figures.get("report_us");
      table.row(
          "`" + name + "`",
          millis(delivery, "p50"),
          millis(delivery, "p90"),
          millis(delivery, "p99"),
          millis(delivery, "p99.9"),
          millis(delivery, "max"),
          millis(report, "p50"),
          millis(report, "p99"),
          millis(report, "p99.9"));
    });
    return table.toString();
  }

  /// CPU and allocation by stage, identified by thread.
  String stages() {
    var table = new Table("`push-sqlite`, thread", "µs a task", "bytes allocated a task");
    JsonNode result = results.get("push-sqlite");
    if (result != null) {
      JsonNode figures = result.get("figures");
      JsonNode allocated = figures.path("allocated_bytes_per_task_by_thread");
      figures
          .path("broker_cpu_us_per_task_by_thread")
          .properties()
          .forEach(each ->
              table.row(
                  each.getKey(),
                  Table.show(each.getValue().asDouble()),
                  Table.show(allocatedBy(allocated, each.getKey()))));
      table.row(
          "all",
          show(figures, "broker_cpu_us_per_task"),
          show(figures, "allocated_bytes_per_task"));
    }
    return table.toString();
  }

  /// The system truncates thread names to 15 characters.
  private static double allocatedBy(JsonNode allocated, String thread) {
    return allocated.properties().stream()
        .filter(each -> each.getKey().startsWith(thread))
        .mapToDouble(each -> each.getValue().asDouble())
        .sum();
  }

  String scale() {
    var table =
        new Table("others", "", "ns a task in the engine", "bytes allocated", "heap bytes of each");
    JsonNode result = results.get("engine-scale");
    if (result != null) {
      result
          .get("figures")
          .get("points")
          .forEach(point ->
              table.row(
                  show(point, "others"),
                  point.get("delayed").asBoolean() ? "delayed" : "with workers",
                  show(point, "ns_per_task"),
                  show(point, "allocated_bytes_per_task"),
                  show(point, "heap_bytes_per_other")));
    }
    return table.toString();
  }

  /// Runs without Kafka.
  String direct() {
    var table =
        new Table(
            "run",
            "tasks/s",
            "broker µs a task",
            "without JIT",
            "load program µs",
            "start p50, ms",
            "start p99, ms",
            "broker cores",
            "resident MB, peak");
    results.forEach((name, result) -> {
      JsonNode figures = result.get("figures");
      if (result.path("options").has("case")) {
        table.row(
            "`" + name + "`",
            show(figures, "tasks_per_second"),
            show(figures, "broker_cpu_us_per_task"),
            show(figures, "broker_cpu_us_per_task_without_jit"),
            show(figures, "load_cpu_us_per_task"),
            millis(figures, "start_us_p50"),
            millis(figures, "start_us_p99"),
            show(figures, "broker_cpu_cores"),
            show(figures, "peak_resident_mb"));
      }
    });
    return table.toString();
  }

  String restarts() {
    var table =
        new Table("restart", "rows", "s to serve", "s to first delivery", "CPU s", "resident MB");
    results.forEach((name, result) -> {
      JsonNode figures = result.get("figures");
      if (figures.has("seconds_to_serve")) {
        table.row(
            "`" + name + "`",
            show(result.get("options"), "rows"),
            show(figures, "seconds_to_serve"),
            show(figures, "seconds_to_first_delivery"),
            show(figures, "cpu_seconds"),
            show(figures, "resident_mb"));
      }
    });
    return table.toString();
  }

  /// JMH results.
  static String classes(JsonNode jmh) {
    var table = new Table("class", "", "ns a task", "±", "bytes allocated");
    jmh.forEach(each -> {
      var parameters = new ArrayList<String>();
      each.path("params")
          .properties()
          .forEach(parameter ->
              parameters.add(parameter.getKey() + " " + parameter.getValue().asString()));
      JsonNode metric = each.get("primaryMetric");
      table.row(
          "`" + each.get("benchmark").asString().replaceAll(".*\\.", "") + "`",
          String.join(", ", parameters),
          show(metric, "score"),
          show(metric, "scoreError"),
          show(each.path("secondaryMetrics").path("gc.alloc.rate.norm"), "score"));
    });
    return table.toString();
  }

  private void endToEnd(Row row) {
    results.forEach((name, result) -> {
      JsonNode figures = result.get("figures");
      if (figures.has("steady_tasks_per_second")) {
        row.of(name, figures);
      }
    });
  }

  private static String text(JsonNode node, String key) {
    return node.path(key).asString("unknown");
  }

  private static String millis(JsonNode node, String key) {
    return node.has(key) ? Table.show(node.get(key).asDouble() / 1e3) : "";
  }

  private static String show(JsonNode node, String key) {
    JsonNode value = node.path(key);
    return value.isNumber() ? Table.show(value.asDouble()) : "";
  }

  private interface Row {
    void of(String name, JsonNode figures);
  }
}
