package io.taskbroker.cli;

import java.io.PrintWriter;
import tools.jackson.databind.JsonNode;

/// The overview of a broker as text for people.
final class StatusPage {
  private StatusPage() {}

  static void print(JsonNode overview, PrintWriter out) {
    JsonNode broker = overview.path("broker");
    JsonNode tasks = overview.path("tasks");
    JsonNode rate = overview.path("rate");
    out.println(
        "%s  %s  %s  since %s"
            .formatted(
                Table.printable(broker.path("name").asString()),
                broker.path("version").asString(),
                state(broker),
                broker.path("started_at").asString()));
    out.println(
        "%s pending, %s with workers, %s delayed, %s parked, %s forwarding; oldest waits %.1f s"
            .formatted(
                tasks.path("pending"),
                tasks.path("claimed").asInt() + tasks.path("processing").asInt(),
                tasks.path("delayed"),
                tasks.path("parked"),
                tasks.path("forwarding"),
                overview.path("oldest_waiting_seconds").asDouble()));
    out.println(
        "%.1f completed/s, %.1f failed/s, %.1f retried/s, %.1f dead letters/s, over %.0f s"
            .formatted(
                rate.path("completed").asDouble(),
                rate.path("failed").asDouble(),
                rate.path("retried").asDouble(),
                rate.path("dead_lettered").asDouble(),
                rate.path("over_seconds").asDouble()));
    out.println(
        "waited %s; ran %s"
            .formatted(
                percentiles(overview.path("latency").path("waiting")),
                percentiles(overview.path("latency").path("running"))));
    broker
        .path("troubles")
        .forEach(trouble -> out.println("! " + Table.printable(trouble.asString())));
    tasks
        .path("quarantined")
        .properties()
        .forEach(topic ->
            out.println(
                "! " + topic.getValue() + " quarantined for " + Table.printable(topic.getKey())));
    overview.path("pauses").forEach(pause -> out.println("! paused: " + pause(pause)));
    applications(overview.path("applications"), out);
    names(overview.path("tasknames"), out);
    partitions(overview.path("partitions"), out);
    out.flush();
  }

  private static String percentiles(JsonNode times) {
    return times.path("tasks").asLong() == 0
        ? "-"
        : "%.3f s (p50), %.3f s (p95), %.3f s (p99)"
            .formatted(
                times.path("p50_seconds").asDouble(),
                times.path("p95_seconds").asDouble(),
                times.path("p99_seconds").asDouble());
  }

  private static String state(JsonNode broker) {
    if (broker.path("draining").asBoolean()) {
      return "DRAINING";
    }
    return broker.path("ready").asBoolean() ? "ready" : "NOT READY";
  }

  static String pause(JsonNode pause) {
    var text = new StringBuilder();
    for (String name : new String[] {"application", "namespace", "taskname"}) {
      if (pause.has(name)) {
        text.append(name).append(' ').append(pause.path(name).asString()).append("  ");
      }
    }
    return Table.printable(text.toString().strip());
  }

  static void applications(JsonNode applications, PrintWriter out) {
    out.println();
    var table =
        new Table(
            "APPLICATION",
            "PENDING",
            "WORKING",
            "DELAYED",
            "PARKED",
            "OLDEST s",
            "CALLS",
            "SLOTS",
            "PAUSED UNTIL",
            "WORKER");
    for (JsonNode each : applications) {
      table.add(
          each.path("application"),
          each.path("pending"),
          each.path("processing"),
          each.path("delayed"),
          each.path("parked").asBoolean() ? "yes" : "no",
          each.path("oldest_waiting_seconds"),
          each.path("calls"),
          each.path("slots"),
          each.path("paused_until"),
          each.path("worker"));
    }
    table.print(out);
  }

  private static void names(JsonNode names, PrintWriter out) {
    out.println();
    var table =
        new Table("APPLICATION", "TASK", "PENDING", "DELAYED", "WORKING", "DONE/s", "FAILED/s");
    for (JsonNode each : names) {
      table.add(
          each.path("application"),
          each.path("taskname"),
          each.path("pending"),
          each.path("delayed"),
          each.path("claimed").asInt() + each.path("processing").asInt(),
          each.path("rate").path("completed"),
          each.path("rate").path("failed"));
    }
    table.print(out);
  }

  static void partitions(JsonNode partitions, PrintWriter out) {
    out.println();
    var table = new Table("TOPIC", "PARTITION", "LAG");
    partitions.forEach(
        each -> table.add(each.path("topic"), each.path("partition"), each.path("lag")));
    table.print(out);
  }
}
