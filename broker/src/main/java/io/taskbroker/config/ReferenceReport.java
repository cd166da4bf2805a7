package io.taskbroker.config;

import io.taskbroker.config.ConfigNode.Section;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Report of what each key of a configuration file of the reference means to this broker. Without
/// values, which may be secrets. Stateless.
public final class ReferenceReport {
  /// Fate of a key.
  public enum Fate {
    /// Means what it means to the reference.
    SAME,
    /// Means something slightly different; the text says what.
    DIFFERENT,
    /// Has another name now; the old one is understood.
    MOVED,
    /// Is read and validated, but this broker has no use for it.
    UNUSED,
    /// Is ignored, with a warning at each start.
    UNKNOWN;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// Line of the report.
  ///
  /// @param key path in the file, joined by dots
  /// @param text meaning, difference or new name
  public record Line(String key, Fate fate, String text) {}

  private static final Map<String, Key<?, ?>> TOP = top();
  private static final Map<String, Key<?, ?>> TOPIC = byPath(TopicKeys.TABLE.keys());
  private static final Map<String, Key<?, ?>> RAW = byPath(RawKeys.TABLE.keys());
  private static final Map<String, Key<?, ?>> CLUSTER = byPath(ClusterKeys.TABLE.keys());

  private ReferenceReport() {}

  /// One line for each key of the file, in its order.
  ///
  /// @throws ConfigException if the file is no YAML map
  public static List<Line> of(Path file) {
    var lines = new ArrayList<Line>();
    Section root = YamlFile.read(file);
    root.entries()
        .forEach((name, node) -> {
          switch (name) {
            case ConfigKeys.TOPICS -> named(name, node, TOPIC, lines);
            case ConfigKeys.CLUSTERS -> named(name, node, CLUSTER, lines);
            default -> add(name, name, node, TOP, lines);
          }
        });
    return List.copyOf(lines);
  }

  /// Entries with names of their own: topics and clusters.
  private static void named(
      String path, ConfigNode node, Map<String, Key<?, ?>> keys, List<Line> lines) {
    if (node instanceof Section(var entries, _)) {
      entries.forEach((name, entry) -> {
        if (entry instanceof Section(var fields, _)) {
          fields.forEach(
              (field, value) -> add(path + "." + name + "." + field, field, value, keys, lines));
        }
      });
    }
  }

  /// @param path in the file
  /// @param key the same, relative to the section that `keys` describes
  private static void add(
      String path, String key, ConfigNode node, Map<String, Key<?, ?>> keys, List<Line> lines) {
    if (keys.containsKey(key)) {
      lines.add(line(path, keys.get(key)));
    } else if (node instanceof Section(var entries, _)) {
      boolean raw = path.startsWith(ConfigKeys.TOPICS + ".") && key.equals(ConfigKeys.RAW_SECTION);
      entries.forEach((name, child) ->
          add(path + "." + name, raw ? name : key + "." + name, child, raw ? RAW : keys, lines));
    } else {
      lines.add(
          OldKeys.MOVED.stream()
              .filter(moved -> moved.from().equals(path))
              .findFirst()
              .map(ReferenceReport::line)
              .orElseGet(() -> new Line(path, Fate.UNKNOWN, "ignored, with a warning")));
    }
  }

  private static Line line(String path, Key<?, ?> key) {
    KeyDoc doc = key.doc();
    if (!doc.honoured()) {
      return new Line(path, Fate.UNUSED, doc.note());
    }
    return doc.note().isEmpty()
        ? new Line(path, Fate.SAME, doc.meaning())
        : new Line(path, Fate.DIFFERENT, doc.meaning() + ": " + doc.note());
  }

  private static Line line(OldKeys.Moved moved) {
    Line target = line(moved.from(), moved.to());
    String name = moved.to().path() + (moved.millis() ? ", a duration such as 250ms" : "");
    return switch (target.fate()) {
      case UNUSED -> new Line(moved.from(), Fate.UNUSED, target.text() + " (now " + name + ")");
      default -> new Line(moved.from(), Fate.MOVED, name + "; " + target.text());
    };
  }

  private static Map<String, Key<?, ?>> top() {
    Map<String, Key<?, ?>> keys = byPath(ConfigKeys.BROKER);
    OldKeys.KAFKA.forEach(key -> keys.put(key.path(), key));
    OldKeys.RAW.forEach(key -> keys.put(key.path(), key));
    return keys;
  }

  private static <A> Map<String, Key<?, ?>> byPath(List<Key<A, ?>> keys) {
    var byPath = new HashMap<String, Key<?, ?>>();
    keys.forEach(key -> byPath.put(key.path(), key));
    return byPath;
  }
}
