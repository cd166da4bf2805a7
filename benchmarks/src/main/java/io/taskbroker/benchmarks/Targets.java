package io.taskbroker.benchmarks;

import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Target figures against measured values: met or missed. Benchmarks without a result are omitted.
final class Targets {
  private final Map<String, JsonNode> results;

  Targets(Map<String, JsonNode> results) {
    this.results = results;
  }

  @Override
  public String toString() {
    var table = new Table("figure", "target", "measured", "");
    atLeast(table, "push-sqlite", "steady_tasks_per_second", 21_000);
    atMost(table, "push-sqlite", "broker_cpu_us_per_task_without_jit", 35);
    atLeast(table, "push-postgres", "steady_tasks_per_second", 17_000);
    atMost(table, "push-postgres", "broker_cpu_us_per_task_without_jit", 35);
    atLeast(table, "pull-sqlite", "steady_tasks_per_second", 16_000);
    atLeast(table, "pull-postgres", "steady_tasks_per_second", 12_000);
    atLeast(table, "push-sqlite-reports-64", "steady_tasks_per_second", 30_000);
    atLeast(
        table,
        "push-sqlite",
        "first_15s_tasks_per_second",
        number("push-sqlite", "steady_tasks_per_second") / 2);
    atMost(table, "push-sqlite-500-per-second", "delivery_us.p50", 1_500);
    atMost(table, "push-sqlite-500-per-second", "delivery_us.p99", 6_000);
    atMost(table, "push-sqlite-500-per-second", "broker_cpu_us_per_task_without_jit", 300);
    atMost(table, "push-sqlite-50-per-second", "delivery_us.p50", 1_500);
    atMost(table, "push-sqlite-50-per-second", "delivery_us.p99", 6_000);
    atMost(table, "push-sqlite-50-per-second", "broker_cores_without_jit", 0.05);
    atMost(table, "push-sqlite-memory", "peak_resident_mb", 350);
    atMost(table, "idle", "broker_cores_without_jit", 0.02);
    atLeast(
        table,
        "fairness-neighbours",
        "steady_tasks_per_second",
        0.9 * number("fairness-alone", "steady_tasks_per_second"));
    atMost(
        table,
        "fairness-neighbours",
        "delivery_us.p99",
        1.2 * number("fairness-alone", "delivery_us.p99"));
    besideAMillion(table, "delayed");
    besideAMillion(table, "waiting");
    atMost(table, "beside-1000000-searched", "search.drop_percent", 5);
    atMost(table, "beside-1000000-searched", "search.ms_max", 1_000);
    atMost(table, "history-sqlite", "drop_percent", 10);
    atMost(table, "history-postgres", "drop_percent", 10);
    atMost(table, "push-sqlite-page", "page.drop_percent", 2);
    atMost(table, "push-sqlite-page", "page.ms_max", 1_000);
    atMost(table, "push-sqlite-page", "page.bytes", 200_000);
    atMost(table, "restart-parked", "seconds_to_first_delivery", 10);
    return table.toString();
  }

  /// The cost of a task must not depend on the number of other tasks.
  private void besideAMillion(Table table, String others) {
    String figure = "broker_cpu_us_per_task_without_jit";
    double few = number("beside-1000-" + others, figure);
    atMost(table, "beside-1000000-" + others, figure, 1.2 * few);
  }

  private void atLeast(Table table, String name, String figure, double target) {
    target(table, name, figure, target, true);
  }

  private void atMost(Table table, String name, String figure, double target) {
    target(table, name, figure, target, false);
  }

  private void target(Table table, String name, String figure, double target, boolean least) {
    if (!results.containsKey(name) || Double.isNaN(target)) {
      return;
    }
    double measured = number(name, figure);
    boolean met = least ? measured >= target : measured <= target;
    table.row(
        "`%s` %s".formatted(name, figure.replace('_', ' ').replace('.', ' ')),
        (least ? "≥ " : "≤ ") + Table.show(target),
        Table.show(measured),
        met ? "met" : "**missed**");
  }

  private double number(String name, String figure) {
    JsonNode node = results.get(name);
    if (node == null) {
      return Double.NaN;
    }
    node = node.get("figures");
    for (String part : List.of(figure.split("\\.", 0))) {
      node = node.path(part);
    }
    return node.isNumber() ? node.asDouble() : Double.NaN;
  }
}
