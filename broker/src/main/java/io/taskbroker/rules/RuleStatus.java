package io.taskbroker.rules;

import java.nio.file.Path;
import java.util.List;

/// Rules file and its rules in force, as operators see them. Immutable.
///
/// @param problem why the file is not applied; empty if it is
public record RuleStatus(Path file, List<Rule> rules, String problem) {
  public RuleStatus {
    rules = List.copyOf(rules);
  }

  /// Rule in force.
  ///
  /// @param name of the task or the namespace
  /// @param matches tasks that it applied to, since it came into force
  public record Rule(Effect effect, String name, long matches) {}

  /// Effect of a rule on a task.
  public enum Effect {
    /// Removes it, at least if it has certain arguments.
    SWITCHED_OFF,
    /// Forwards it to another topic.
    DEMOTED
  }
}
