package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.api.Rules;
import java.util.Map;
import java.util.Set;

/// Rules of a test.
///
/// @param names killed task names
/// @param ids killed activations, as if by their arguments
/// @param namespaces demoted namespaces
/// @param comesBack whether this broker consumes the demoted records
record RigRules(Set<String> names, Set<String> ids, Set<String> namespaces, boolean comesBack)
    implements Rules {
  static final Destination ELSEWHERE = new Destination("long", "far:9092", Map.of());

  static RigRules killing(String... names) {
    return new RigRules(Set.of(names), Set.of(), Set.of(), false);
  }

  static RigRules killingIds(String... ids) {
    return new RigRules(Set.of(), Set.of(ids), Set.of(), false);
  }

  static RigRules demoting(String... namespaces) {
    return new RigRules(Set.of(), Set.of(), Set.of(namespaces), false);
  }

  @Override
  public boolean exist() {
    return !names.isEmpty() || !ids.isEmpty() || !namespaces.isEmpty();
  }

  @Override
  public Decision judge(Activation activation) {
    if (names.contains(activation.taskname())) {
      return new Decision.Killed(false);
    }
    if (ids.contains(activation.id())) {
      return new Decision.Killed(true);
    }
    if (namespaces.contains(activation.namespace())) {
      return comesBack ? Decision.Kept.WOULD_COME_BACK : new Decision.Demoted(ELSEWHERE);
    }
    return Decision.Kept.AS_IT_IS;
  }
}
