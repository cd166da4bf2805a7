package io.taskbroker.config;

import static io.taskbroker.config.ConfigKeys.CLUSTERS;
import static io.taskbroker.config.ConfigKeys.RAW_SECTION;
import static io.taskbroker.config.ConfigKeys.TOPICS;

import io.taskbroker.config.ConfigNode.Section;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Validator of key names: warns of unknown keys, and reports values in place of sections as
/// problems.
final class KnownKeys {
  /// Expected shape of a node: the value of a key, a section of keys, or a section of named
  /// entries.
  private sealed interface Shape {
    record Value() implements Shape {}

    record Fixed(Map<String, Shape> keys) implements Shape {}

    record Entries(Shape entry) implements Shape {}
  }

  private static final Shape.Fixed ROOT = root();

  private final Problems problems;
  private final Consumer<String> warnings;

  private KnownKeys(Problems problems, Consumer<String> warnings) {
    this.problems = problems;
    this.warnings = warnings;
  }

  static void check(Section root, Problems problems, Consumer<String> warnings) {
    new KnownKeys(problems, warnings).check(root, ROOT, "");
  }

  private void check(ConfigNode node, Shape shape, String path) {
    if (shape instanceof Shape.Value || node.isNull()) {
      return;
    }
    if (!(node instanceof Section(var entries, _))) {
      problems.add(path, node, true, "must be a section of keys");
      return;
    }
    entries.forEach((key, child) -> {
      String childPath = path.isEmpty() ? key : path + "." + key;
      switch (shape) {
        case Shape.Value _ -> {}
        case Shape.Entries(var entry) -> check(child, entry, childPath);
        case Shape.Fixed(var keys) -> {
          Shape known = keys.get(key);
          if (known == null) {
            warnings.accept(unknown(childPath, path, keys, child));
          } else {
            check(child, known, childPath);
          }
        }
      }
    });
  }

  private static String unknown(
      String path, String parent, Map<String, Shape> siblings, ConfigNode node) {
    var candidates = new ArrayList<String>();
    siblings.keySet().forEach(key -> candidates.add(parent.isEmpty() ? key : parent + "." + key));
    paths(ROOT, "", candidates);
    return "Unknown configuration key %s is ignored%s (%s)"
        .formatted(
            path,
            nearest(path, candidates).map(key -> "; the nearest known key is " + key).orElse(""),
            node.place());
  }

  /// Candidate with the fewest edits, if close enough.
  private static Optional<String> nearest(String path, List<String> candidates) {
    String best = "";
    int fewest = Integer.MAX_VALUE;
    for (String candidate : candidates) {
      int edits = edits(path, candidate);
      if (edits < fewest) {
        fewest = edits;
        best = candidate;
      }
    }
    return fewest <= Math.max(3, path.length() / 2) ? Optional.of(best) : Optional.empty();
  }

  /// Edit distance: characters to insert, delete or replace.
  static int edits(String from, String to) {
    int[] previous = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int[] current = new int[to.length() + 1];
      current[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int changed = previous[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(changed, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[to.length()];
  }

  private static void paths(Shape.Fixed shape, String prefix, List<String> into) {
    shape
        .keys()
        .forEach((key, child) -> {
          into.add(prefix + key);
          if (child instanceof Shape.Fixed fixed) {
            paths(fixed, prefix + key + ".", into);
          }
        });
  }

  private static Shape.Fixed root() {
    Shape.Fixed root = fixed(ConfigKeys.BROKER);
    for (var keys : List.of(OldKeys.KAFKA, OldKeys.RAW)) {
      keys.forEach(key -> root.keys().put(key.path(), new Shape.Value()));
    }
    OldKeys.MOVED.forEach(moved -> root.keys().put(moved.from(), new Shape.Value()));
    Shape.Fixed topic = fixed(TopicKeys.TABLE.keys());
    topic.keys().put(RAW_SECTION, fixed(RawKeys.TABLE.keys()));
    root.keys().put(TOPICS, new Shape.Entries(topic));
    root.keys().put(CLUSTERS, new Shape.Entries(fixed(ClusterKeys.TABLE.keys())));
    return root;
  }

  private static <A> Shape.Fixed fixed(List<Key<A, ?>> keys) {
    var root = new Shape.Fixed(new LinkedHashMap<>());
    for (Key<A, ?> key : keys) {
      String[] steps = key.steps();
      Shape.Fixed section = root;
      for (int i = 0; i < steps.length - 1; i++) {
        Shape next =
            section.keys().computeIfAbsent(steps[i], _ -> new Shape.Fixed(new LinkedHashMap<>()));
        if (!(next instanceof Shape.Fixed deeper)) {
          throw new IllegalStateException(key.path() + " is nested in another key");
        }
        section = deeper;
      }
      section.keys().put(steps[steps.length - 1], new Shape.Value());
    }
    return root;
  }
}
