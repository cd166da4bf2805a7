package io.taskbroker.payload;

import java.util.List;
import java.util.Locale;

/// Names whose values are secret: those that contain one of some texts, in any case. Immutable.
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
}
