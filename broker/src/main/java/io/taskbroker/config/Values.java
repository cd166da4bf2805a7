package io.taskbroker.config;

import io.taskbroker.config.ConfigNode.Section;
import java.util.Optional;
import java.util.Set;

/// Reads keys of one section. A problem is told once, and the default taken, so that reading goes
/// on and finds the others.
final class Values {
  private final Section section;
  private final String prefix;
  private final Problems problems;

  /// @param prefix goes before a key in error messages
  Values(Section section, String prefix, Problems problems) {
    this.section = section;
    this.prefix = prefix;
    this.problems = problems;
  }

  Problems problems() {
    return problems;
  }

  <T> T get(Key<?, T> key) {
    Optional<ConfigNode> node = section.at(key.steps());
    if (node.isEmpty()) {
      if (key.required()) {
        problems.add(prefix + key.path(), "", "is missing: " + key.type().allowed());
      }
      return key.fallback();
    }
    return key.type().read(node.get(), prefix + key.path(), problems).orElse(key.fallback());
  }

  /// Whether something other than null is written for the key.
  boolean has(Key<?, ?> key) {
    return has(key.path());
  }

  boolean has(String path) {
    return section.at(path.split("\\.")).filter(node -> !node.isNull()).isPresent();
  }

  /// The section of that name, if there is one.
  Optional<Values> section(String name) {
    return section
        .at(name)
        .filter(Section.class::isInstance)
        .map(node -> new Values((Section) node, prefix + name + ".", problems));
  }

  /// The names in this section, in the order of writing.
  Set<String> names() {
    return section.entries().keySet();
  }
}
