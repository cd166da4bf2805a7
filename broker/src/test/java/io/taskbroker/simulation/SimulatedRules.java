package io.taskbroker.simulation;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.api.Rules;
import java.util.Set;

/// Rules of an operator: switched-off tasks, and demoted namespaces.
///
/// @param killed task names
/// @param demoted namespaces
/// @param to target topic of the demotion
/// @param comesBack whether brokers read that topic, so that nothing may be demoted to it
record SimulatedRules(Set<String> killed, Set<String> demoted, String to, boolean comesBack)
    implements Rules {
  static final SimulatedRules NONE =
      new SimulatedRules(Set.of(), Set.of(), SimulatedKafka.ELSEWHERE, false);

  static SimulatedRules killing(String... names) {
    return new SimulatedRules(Set.of(names), Set.of(), SimulatedKafka.ELSEWHERE, false);
  }

  static SimulatedRules demoting(String... namespaces) {
    return new SimulatedRules(Set.of(), Set.of(namespaces), SimulatedKafka.ELSEWHERE, false);
  }

  boolean kills(Spec spec) {
    return spec.decodable() && killed.contains(spec.taskname());
  }

  boolean demotes(Spec spec) {
    return spec.decodable() && !kills(spec) && !comesBack && demoted.contains(spec.namespace());
  }

  @Override
  public boolean exist() {
    return !killed.isEmpty() || !demoted.isEmpty();
  }

  @Override
  public Decision judge(Activation activation) {
    if (killed.contains(activation.taskname())) {
      return new Decision.Killed(false);
    }
    if (!demoted.contains(activation.namespace())) {
      return Decision.Kept.AS_IT_IS;
    }
    return comesBack ? Decision.Kept.WOULD_COME_BACK : new Decision.Demoted(Destination.of(to));
  }
}
