package io.taskbroker.rules;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Report of what the rules in force did: counts that grew since the last report, and names that no
/// task has. One thread.
final class RuleReport {
  private static final int MAX_NAMES = 20;

  private final RuleSet rules;
  private final Map<RuleUse, Long> reported = new HashMap<>();
  private final Set<RuleUse> warned = new HashSet<>();

  RuleReport(RuleSet rules) {
    this.rules = rules;
  }

  /// The counts that grew, one line for each kind of rule.
  List<String> matches() {
    var lines = new ArrayList<String>();
    add(lines, "Tasks removed", rules.killed());
    add(lines, "Tasks demoted", rules.demoted());
    return lines;
  }

  /// Rules whose names no task has had so far, each of them once. Empty until a task was judged.
  List<String> unseen() {
    if (!rules.hasJudged()) {
      return List.of();
    }
    var lines = new ArrayList<String>();
    for (RuleUse use : rules.killed()) {
      if (!use.isSeen() && warned.add(use)) {
        String meant = use.lookalike();
        lines.add(
            "No task is named '%s', so its rule has had no effect yet%s"
                .formatted(
                    use.name(),
                    meant.isEmpty()
                        ? ": a rule names the task as it is registered, without its namespace"
                        : "; there is a task named '" + meant + "': was that meant?"));
      }
    }
    for (RuleUse use : rules.demoted()) {
      if (!use.isSeen() && warned.add(use)) {
        lines.add(
            "No task is in the namespace '%s', so its rule has had no effect yet"
                .formatted(use.name()));
      }
    }
    return lines.size() > MAX_NAMES ? lines.subList(0, MAX_NAMES) : lines;
  }

  private void add(List<String> lines, String what, List<RuleUse> uses) {
    var parts = new ArrayList<String>();
    for (RuleUse use : uses) {
      long now = use.matches();
      if (now > reported.getOrDefault(use, 0L)) {
        reported.put(use, now);
        if (parts.size() < MAX_NAMES) {
          parts.add("%s %,d".formatted(use.name(), now));
        }
      }
    }
    if (!parts.isEmpty()) {
      lines.add(what + " since the rules came into force, by name: " + String.join(", ", parts));
    }
  }
}
