package io.taskbroker.audit;

import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// JSON form of an audit, one object on one line. Stateless and thread-safe.
public final class AuditJson {
  private static final JsonMapper JSON = new JsonMapper();

  private AuditJson() {}

  /// The counts by outcome, and the notes.
  public static String summary(AuditReport report) {
    ObjectNode node = JSON.createObjectNode();
    node.put("records", report.entries().size());
    node.put("loss", report.hasLoss());
    ObjectNode counts = node.putObject("outcomes");
    report.counts().forEach((outcome, count) -> counts.put(outcome.label(), count));
    ArrayNode notes = node.putArray("notes");
    report.notes().forEach(notes::add);
    return node.toString();
  }

  /// One record.
  public static String of(AuditEntry entry) {
    return JSON.createObjectNode()
        .put("partition", entry.partition())
        .put("offset", entry.offset())
        .put("id", entry.id())
        .put("outcome", entry.outcome().label())
        .put("detail", entry.detail())
        .toString();
  }
}
