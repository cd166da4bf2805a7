package io.taskbroker.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Node of the configuration tree as written, with its location.
sealed interface ConfigNode {
  int SHOWN_CHARACTERS = 80;

  /// File, line and column, or the environment variable.
  String place();

  /// Value as shown in error messages.
  String shown();

  /// Map of keys to nodes, in writing order. Mutable.
  record Section(Map<String, ConfigNode> entries, String place) implements ConfigNode {
    static Section empty(String place) {
      return new Section(new LinkedHashMap<>(), place);
    }

    /// Merges `other` over this: sections are merged, all other nodes replaced.
    void overlay(Section other) {
      other
          .entries()
          .forEach((key, theirs) -> {
            if (theirs instanceof Section section && entries.get(key) instanceof Section mine) {
              mine.overlay(section);
            } else {
              entries.put(key, theirs);
            }
          });
    }

    /// Node at a path of keys; a null counts as a node.
    Optional<ConfigNode> at(String... path) {
      ConfigNode node = this;
      for (String key : path) {
        if (!(node instanceof Section section) || !section.entries.containsKey(key)) {
          return Optional.empty();
        }
        node = section.entries.get(key);
      }
      return Optional.of(node);
    }

    /// Puts a node at a path of keys, unless a node on the path is not a section.
    void put(ConfigNode node, String... path) {
      Section section = this;
      for (int i = 0; i < path.length - 1; i++) {
        ConfigNode next = section.entries.get(path[i]);
        if (next == null || next.isNull()) {
          next = empty(node.place());
          section.entries.put(path[i], next);
        }
        if (!(next instanceof Section deeper)) {
          return;
        }
        section = deeper;
      }
      section.entries.put(path[path.length - 1], node);
    }

    @Override
    public String shown() {
      return "{...}";
    }
  }

  /// List of nodes.
  record Items(List<ConfigNode> items, String place) implements ConfigNode {
    @Override
    public String shown() {
      return "[...]";
    }
  }

  /// Scalar value.
  ///
  /// @param value string, Boolean, BigInteger or Double, or null
  record Scalar(@Nullable Object value, String place) implements ConfigNode {
    @Override
    public String shown() {
      String text = value instanceof String string ? "\"" + string + "\"" : String.valueOf(value);
      StringBuilder line = new StringBuilder();
      text.codePoints()
          .limit(SHOWN_CHARACTERS)
          .map(c -> Character.isISOControl(c) ? '?' : c)
          .forEach(line::appendCodePoint);
      return text.length() > line.length() ? line + "..." : line.toString();
    }
  }

  default boolean isNull() {
    return this instanceof Scalar(var value, _) && value == null;
  }
}
