package io.taskbroker.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A piece of configuration as it was written, and where.
sealed interface ConfigNode {
  int SHOWN_CHARACTERS = 80;

  /// File, line and column, or the environment variable.
  String place();

  /// The value for an error message.
  String shown();

  /// Keys and what belongs to them, in the order of writing. Mutable.
  record Section(Map<String, ConfigNode> entries, String place) implements ConfigNode {
    static Section empty(String place) {
      return new Section(new LinkedHashMap<>(), place);
    }

    /// Lays `other` over this: sections merge, everything else is replaced.
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

    /// What is written under a path of keys; a null counts as something.
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

    /// Puts a node under a path of keys, unless something that is no section is in its way.
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

  /// A list.
  record Items(List<ConfigNode> items, String place) implements ConfigNode {
    @Override
    public String shown() {
      return "[...]";
    }
  }

  /// A single value.
  ///
  /// @param value a string, Boolean, BigInteger or Double, or null
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
