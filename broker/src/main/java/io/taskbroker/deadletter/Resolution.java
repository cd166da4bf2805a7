package io.taskbroker.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.Ids;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Durable record of what an operator did with a dead letter. Immutable.
///
/// @param at milliseconds since the epoch
/// @param run id of the command that did it
/// @param topic where it was replayed to; empty if it was discarded
/// @param id new id of the task; empty if it was discarded
/// @param reason why, in the operator's words; may be empty
/// @param letter position of the dead letter
/// @param timestamp of the dead letter's record
/// @param identity of the failure, which copies of the dead letter share
public record Resolution(
    Action action,
    long at,
    String run,
    String topic,
    String id,
    String reason,
    Position letter,
    long timestamp,
    Ids.Fingerprint identity) {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int MAX_REASON = 1_000;

  /// Decision on a dead letter.
  public enum Action {
    REPLAYED,
    DISCARDED;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Resolution {
    reason = reason.substring(0, Math.min(reason.length(), MAX_REASON));
  }

  /// Key of the record, by which the log of resolutions is compacted.
  static byte[] key(String topicId, Position position) {
    return (topicId + "/" + position).getBytes(UTF_8);
  }

  byte[] value(String topicId) {
    ObjectNode value = JSON.createObjectNode();
    value.put("action", action.label());
    value.put("at", at);
    value.put("run", run);
    value.put("topic", topic);
    value.put("id", id);
    value.put("reason", reason);
    value.put("dlq_id", topicId);
    value.put("position", letter.toString());
    value.put("timestamp", timestamp);
    value.put("high", identity.high());
    value.put("low", identity.low());
    return JSON.writeValueAsBytes(value);
  }

  /// Parses a record's value; empty if it is about another topic.
  ///
  /// @throws IllegalArgumentException if it is no resolution
  static Optional<Resolution> parse(byte[] value, String topicId) {
    try {
      JsonNode json = JSON.readTree(value);
      if (!json.path("dlq_id").asString("").equals(topicId)) {
        return Optional.empty();
      }
      return Optional.of(
          new Resolution(
              Action.valueOf(json.path("action").asString("").toUpperCase(Locale.ROOT)),
              json.path("at").asLong(0),
              json.path("run").asString(""),
              json.path("topic").asString(""),
              json.path("id").asString(""),
              json.path("reason").asString(""),
              Position.of(json.path("position").asString("")),
              json.path("timestamp").asLong(0),
              new Ids.Fingerprint(json.path("high").asLong(0), json.path("low").asLong(0))));
    } catch (JacksonException e) {
      throw new IllegalArgumentException("a record is no resolution: " + e.getMessage(), e);
    }
  }
}
