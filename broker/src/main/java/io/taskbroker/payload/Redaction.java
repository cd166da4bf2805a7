package io.taskbroker.payload;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Names whose values are secret: names that contain one of the configured texts, in any case.
/// Immutable.
public record Redaction(List<String> parts) {
  /// Shown instead of a secret value.
  public static final String HIDDEN = "[redacted]";

  public Redaction {
    parts = parts.stream().map(part -> part.toLowerCase(Locale.ROOT)).toList();
  }

  boolean hides(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return parts.stream().anyMatch(lower::contains);
  }

  /// Headers in the order of their names, without secret values.
  public Map<String, String> hide(Map<String, String> headers) {
    var shown = new TreeMap<String, String>();
    headers.forEach((name, value) -> shown.put(name, hides(name) ? HIDDEN : value));
    return shown;
  }

  /// Copy of a JSON value without secret values.
  public JsonNode hide(JsonNode value) {
    JsonNode copy = value.deepCopy();
    hideWithin(copy);
    return copy;
  }

  private void hideWithin(JsonNode node) {
    if (node instanceof ObjectNode object) {
      for (String name : List.copyOf(object.propertyNames())) {
        if (hides(name)) {
          object.put(name, HIDDEN);
        } else {
          hideWithin(object.path(name));
        }
      }
    } else if (node instanceof ArrayNode array) {
      array.forEach(this::hideWithin);
    }
  }

  /// Copy of a changed value in which each value that is still hidden is the original one again.
  ///
  /// @param original what `changed` was made from, with its secrets
  /// @throws IllegalArgumentException if a hidden value stands where the original has none
  public JsonNode restore(JsonNode changed, JsonNode original) {
    JsonNode copy = changed.deepCopy();
    restoreWithin(copy, original);
    return copy;
  }

  private void restoreWithin(JsonNode node, JsonNode original) {
    if (node instanceof ObjectNode object) {
      for (String name : List.copyOf(object.propertyNames())) {
        JsonNode value = object.path(name);
        if (hides(name) && value.isString() && value.asString().equals(HIDDEN)) {
          if (original.path(name).isMissingNode()) {
            throw new IllegalArgumentException(
                "there is no hidden value '%s' to keep: write a value".formatted(name));
          }
          object.set(name, original.path(name).deepCopy());
        } else {
          restoreWithin(value, original.path(name));
        }
      }
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        restoreWithin(array.get(i), original.path(i));
      }
    }
  }
}
