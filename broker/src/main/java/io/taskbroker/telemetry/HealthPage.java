package io.taskbroker.telemetry;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.HealthReport;
import java.time.Instant;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Text and JSON forms of a health report. Stateless.
final class HealthPage {
  private static final JsonMapper JSON = new JsonMapper();

  private HealthPage() {}

  /// One line with the status, then one for each condition.
  static String text(String status, HealthReport report) {
    var page = new StringBuilder(status).append('\n');
    for (HealthReport.Entry entry : report.entries()) {
      Condition condition = entry.condition();
      page.append(condition.kind().label())
          .append(" (")
          .append(condition.stage())
          .append("), since ")
          .append(Instant.ofEpochMilli(entry.sinceMillis()))
          .append(", for ")
          .append(entry.seconds())
          .append(" s: ")
          .append(condition.reason())
          .append(". To do: ")
          .append(condition.kind().action())
          .append('\n');
    }
    return page.toString();
  }

  static String json(String status, HealthReport report) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("status", status)
            .put("live", report.live())
            .put("ready", report.ready());
    ArrayNode conditions = node.putArray("conditions");
    for (HealthReport.Entry entry : report.entries()) {
      conditions
          .addObject()
          .put("condition", entry.condition().kind().label())
          .put("stage", entry.condition().stage())
          .put("since", Instant.ofEpochMilli(entry.sinceMillis()).toString())
          .put("for_seconds", entry.seconds())
          .put("reason", entry.condition().reason())
          .put("action", entry.condition().kind().action());
    }
    return node + "\n";
  }
}
