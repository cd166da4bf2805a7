package io.taskbroker.rules;

import java.nio.file.Path;
import java.util.List;

/// Rules in force, as operators see them. Immutable.
///
/// @param killed tasks that are switched off, at least for some arguments
/// @param demoted namespaces whose tasks are forwarded
/// @param problem why the file is not applied; empty if it is
public record RuleStatus(Path file, List<String> killed, List<String> demoted, String problem) {
  public RuleStatus {
    killed = List.copyOf(killed);
    demoted = List.copyOf(demoted);
  }

  RuleStatus withProblem(String other) {
    return new RuleStatus(file, killed, demoted, other);
  }
}
