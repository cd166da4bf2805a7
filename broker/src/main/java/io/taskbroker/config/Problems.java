package io.taskbroker.config;

import io.taskbroker.config.ConfigException.Problem;
import java.util.ArrayList;
import java.util.List;

/// Collector of problems, so that all are reported at once. Confined to one thread.
final class Problems {
  private final List<Problem> found = new ArrayList<>();

  void add(String key, ConfigNode node, boolean secret, String allowed) {
    add(key, secret ? Secret.HIDDEN : node.shown(), allowed, node.place());
  }

  void add(String key, String value, String allowed) {
    add(key, value, allowed, "");
  }

  private void add(String key, String value, String allowed, String place) {
    found.add(new Problem(key, value, allowed, place));
  }

  void throwIfAny() {
    if (!found.isEmpty()) {
      throw new ConfigException(found);
    }
  }
}
