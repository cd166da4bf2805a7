package io.taskbroker.rules;

import io.taskbroker.activation.Activation;
import java.util.concurrent.atomic.AtomicLong;

/// Usage counters of one rule since it came into force: written by the engine's thread, read by the
/// thread that reports them. Thread-safe.
final class RuleUse {
  private final String name;
  private final AtomicLong matches = new AtomicLong();
  private volatile boolean seen;
  private volatile String lookalike = "";

  /// @param name of the task or namespace that the rule is about
  RuleUse(String name) {
    this.name = name;
  }

  String name() {
    return name;
  }

  /// Records that a task of this name or namespace exists.
  void see() {
    if (!seen) {
      seen = true;
    }
  }

  /// Records that the rule applied to a task.
  void match() {
    matches.incrementAndGet();
  }

  /// Records the name of an existing task if the operator may have meant it by the rule's name: the
  /// rule is named `namespace:task`, or has the same last part. Cheap once one is found.
  void compare(Activation activation) {
    if (!seen && lookalike.isEmpty() && resembles(activation.namespace(), activation.taskname())) {
      lookalike = activation.taskname();
    }
  }

  private boolean resembles(String namespace, String task) {
    boolean qualified =
        name.length() == namespace.length() + 1 + task.length()
            && name.startsWith(namespace)
            && name.charAt(namespace.length()) == ':'
            && name.endsWith(task);
    return qualified || endsWithPart(name, task) || endsWithPart(task, name);
  }

  /// Whether the text ends with the part, after a separator.
  private static boolean endsWithPart(String text, String part) {
    int before = text.length() - part.length() - 1;
    return before >= 0
        && !part.isEmpty()
        && text.endsWith(part)
        && (text.charAt(before) == ':' || text.charAt(before) == '.');
  }

  /// Number of tasks that the rule applied to. A task that is judged again counts again.
  long matches() {
    return matches.get();
  }

  boolean isSeen() {
    return seen;
  }

  /// Name of a task that may have been meant; empty if there is none.
  String lookalike() {
    return lookalike;
  }
}
