package io.taskbroker.config;

import io.taskbroker.config.ConfigNode.Section;
import java.util.Optional;
import java.util.Set;

/// Typed access to the keys of one section. A problem is reported once and the default used, so
/// that reading continues and finds the others.
final class Values {
  private final Section section;
  private final String prefix;
  private final Problems problems;

  /// @param prefix precedes keys in error messages
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

  /// Whether a non-null value is given for the key.
  boolean has(Key<?, ?> key) {
    return has(key.path());
  }

  boolean has(String path) {
    return section.at(path.split("\\.")).filter(node -> !node.isNull()).isPresent();
  }

  /// Section with that name, if present.
  Optional<Values> section(String name) {
    return section
        .at(name)
        .filter(Section.class::isInstance)
        .map(node -> new Values((Section) node, prefix + name + ".", problems));
  }

  /// Names in this section, in writing order.
  Set<String> names() {
    return section.entries().keySet();
  }
}
