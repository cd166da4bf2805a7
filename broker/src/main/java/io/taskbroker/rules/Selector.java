package io.taskbroker.rules;

import io.taskbroker.config.Literal;
import io.taskbroker.config.RuntimeConfig.Killswitch;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Selector of the tasks of one name by their arguments: it matches if an argument has one of the
/// values. Immutable.
///
/// @param always whether it matches any arguments, or none
/// @param arguments values by position, from 0
record Selector(
    boolean always, Map<Integer, Set<Literal>> arguments, Map<String, Set<Literal>> keywords) {

  /// Union of the killswitches of one task.
  static Selector of(List<Killswitch> killswitches) {
    boolean always = false;
    var arguments = new HashMap<Integer, Set<Literal>>();
    var keywords = new HashMap<String, Set<Literal>>();
    for (Killswitch killswitch : killswitches) {
      always |= killswitch.always();
      killswitch
          .arguments()
          .forEach(
              (index, value) -> arguments.computeIfAbsent(index, _ -> new HashSet<>()).add(value));
      killswitch
          .keywordArguments()
          .forEach(
              (name, value) -> keywords.computeIfAbsent(name, _ -> new HashSet<>()).add(value));
    }
    return new Selector(always, arguments, keywords);
  }

  boolean isEmpty() {
    return !always && arguments.isEmpty() && keywords.isEmpty();
  }
}
