package io.taskbroker.cli;

import java.io.PrintWriter;
import tools.jackson.databind.JsonNode;

/// Workers as tables for people; a kind of which there are none is left out.
final class WorkerTables {
  private WorkerTables() {}

  /// @param workers answer of `GET /v1/workers`
  static void print(JsonNode workers, PrintWriter out) {
    var streams =
        new Table("WORKER", "VERSION", "APPLICATION", "IN USE", "SLOTS", "SINCE", "HEARD", "AT");
    for (JsonNode each : workers.path("streams")) {
      streams.add(
          each.path("name"),
          each.path("version"),
          each.path("application"),
          each.path("in_use"),
          each.path("slots"),
          each.path("opened_at"),
          each.path("last_heard_at"),
          each.path("address"));
    }
    print(workers.path("streams"), streams, out);
    var addresses = new Table("CALLED", "APPLICATION", "CONNECTIONS", "CALLS", "STATE");
    for (JsonNode each : workers.path("addresses")) {
      addresses.add(
          each.path("address"),
          each.path("application"),
          each.path("connections"),
          each.path("calls"),
          each.path("unreachable").asBoolean() ? "unreachable" : "ok");
    }
    print(workers.path("addresses"), addresses, out);
    var pulls = new Table("PULLS FROM", "APPLICATION", "SINCE", "LAST CALL", "LAST REPORT");
    for (JsonNode each : workers.path("pulls")) {
      pulls.add(
          each.path("address"),
          each.path("application"),
          each.path("opened_at"),
          each.path("last_asked_at"),
          each.path("last_reported_at"));
    }
    print(workers.path("pulls"), pulls, out);
    out.flush();
  }

  private static void print(JsonNode rows, Table table, PrintWriter out) {
    if (!rows.isEmpty()) {
      out.println();
      table.print(out);
    }
  }
}
