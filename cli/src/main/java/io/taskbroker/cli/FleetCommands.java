package io.taskbroker.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// Commands that show what is beyond one broker's tasks: all brokers, backlogs by name, and what
/// operators did.
final class FleetCommands {
  private FleetCommands() {}

  @Command(
      name = "brokers",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows the brokers that share the store, and which partitions each owns.")
  static final class Brokers extends OperateCommands implements Runnable {
    @Override
    public void run() {
      int _ = show(target.client().get("/v1/brokers", Map.of()), this::table);
    }

    private void table(JsonNode answer) {
      var table = new Table("BROKER", "VERSION", "ALIVE", "STARTED", "LAST SEEN", "PARTITIONS");
      for (JsonNode broker : answer.path("brokers")) {
        table.add(
            broker.path("name"),
            broker.path("version"),
            broker.path("alive").asBoolean() ? "yes" : "no",
            broker.path("started_at"),
            broker.path("last_seen"),
            partitions(broker.path("partitions")));
      }
      table.print(out());
      if (!answer.path("unowned").isEmpty()) {
        out().println("! owned by no broker: " + partitions(answer.path("unowned")));
      }
    }

    private static String partitions(JsonNode partitions) {
      return StreamSupport.stream(partitions.spliterator(), false)
          .map(each ->
              Table.printable(each.path("topic").asString()) + "-" + each.path("partition").asInt())
          .collect(Collectors.joining(" "));
    }
  }

  @Command(
      name = "backlog",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows the tasks in flight by application, namespace or task name.")
  static final class Backlog extends OperateCommands implements Runnable {
    @Option(
        names = "--by",
        paramLabel = "WHAT",
        defaultValue = "task",
        description = "application, namespace or task (default: ${DEFAULT-VALUE}).")
    private String by = "";

    @Override
    public void run() {
      int _ = show(target.client().get("/v1/backlog", Map.of("by", by)), this::table);
    }

    private void table(JsonNode answer) {
      var table =
          new Table(
              "NAME",
              "TASKS",
              "PENDING",
              "DELAYED",
              "PARKED",
              "WORKING",
              "OLDEST s",
              "DONE/s",
              "ERRORS %");
      for (JsonNode group : answer.path("groups")) {
        JsonNode errors = group.path("error_ratio");
        table.add(
            name(group),
            group.path("tasks"),
            group.path("pending"),
            group.path("delayed"),
            group.path("parked"),
            group.path("processing"),
            group.path("oldest_seconds"),
            group.path("rate").path("completed"),
            errors.isMissingNode() ? "" : "%.1f".formatted(100 * errors.asDouble()));
      }
      table.print(out());
      if (!answer.path("complete").asBoolean()) {
        out().println("! counted in part: there are too many tasks for the time of a request");
      }
    }

    private static String name(JsonNode group) {
      return group.path("application").asString()
          + (group.has("namespace") ? "  " + group.path("namespace").asString() : "")
          + (group.has("taskname") ? ":" + group.path("taskname").asString() : "");
    }
  }

  @Command(
      name = "acts",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Lists what operators did by this broker, the newest first.")
  static final class Acts extends OperateCommands implements Runnable {
    private static final int PAGE = 500;

    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "50",
        description = "Most entries to list (default: ${DEFAULT-VALUE}).")
    private int limit;

    @Override
    public void run() {
      AdminClient client = target.client();
      var query = new LinkedHashMap<String, String>();
      List<JsonNode> found = new ArrayList<>();
      String cursor = "";
      do {
        query.put("limit", Integer.toString(Math.clamp(limit - found.size(), 1, PAGE)));
        query.put("cursor", cursor);
        JsonNode page = client.get("/v1/audit", query);
        page.path("entries").forEach(found::add);
        cursor = page.path("cursor").asString("");
      } while (!cursor.isEmpty() && found.size() < limit);
      if (target.wantsJson()) {
        found.forEach(entry -> out().println(entry));
      } else {
        table(found);
      }
      out().flush();
    }

    private void table(List<JsonNode> entries) {
      var table = new Table("TIME", "PHASE", "WHO", "ACT", "REASON");
      for (JsonNode entry : entries) {
        table.add(
            entry.path("time"),
            entry.path("phase"),
            entry.path("who"),
            entry.path("act"),
            entry.path("reason"));
      }
      table.print(out());
    }
  }
}
