package io.taskbroker.rules;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.config.RuntimeConfig;
import io.taskbroker.config.RuntimeConfig.Killswitch;
import io.taskbroker.inflight.Rules;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// The rules of one file (reference-spec 3.7). A task that no rule names costs two look-ups in a
/// table; its arguments are looked at only if a selector is about it. Immutable.
public final class RuleSet implements Rules {
  private static final Verdict BY_NAME = new Verdict.Killed(false);
  private static final Verdict BY_SELECTOR = new Verdict.Killed(true);

  private final Map<String, Selector> selectors = new HashMap<>();
  private final Set<String> demoted;
  private final Verdict demotion;
  private final Destination target;

  public RuleSet(RuntimeConfig config, Surroundings surroundings) {
    Map<String, List<Killswitch>> byTask =
        config.killswitches().stream().collect(Collectors.groupingBy(Killswitch::task));
    byTask.forEach((task, killswitches) -> {
      Selector selector = Selector.of(killswitches);
      if (!selector.isEmpty()) {
        selectors.put(task, selector);
      }
    });
    String topic = config.demotedTopic().orElse(surroundings.topic());
    String cluster = config.demotedCluster().orElse(surroundings.cluster());
    demoted = config.demotedNamespaces();
    target = new Destination(topic, cluster, Map.of());
    demotion =
        surroundings.consumes(topic, cluster)
            ? Verdict.Kept.WOULD_COME_BACK
            : new Verdict.Demoted(target);
  }

  @Override
  public boolean exist() {
    return !selectors.isEmpty() || !demoted.isEmpty();
  }

  @Override
  public Verdict judge(Activation activation) {
    Selector selector = selectors.get(activation.taskname());
    if (selector != null) {
      if (selector.always()) {
        return BY_NAME;
      }
      if (Arguments.areSelected(selector, activation.payload())) {
        return BY_SELECTOR;
      }
    }
    return demoted.contains(activation.namespace()) ? demotion : Verdict.Kept.AS_IT_IS;
  }

  /// Whether namespaces are demoted to a topic that this broker consumes, so that they stay.
  boolean wouldComeBack() {
    return !demoted.isEmpty() && demotion == Verdict.Kept.WOULD_COME_BACK;
  }

  /// In one line, for the log.
  @Override
  public String toString() {
    return "tasks switched off, for some arguments at least: %d; namespaces demoted: %d%s"
        .formatted(
            selectors.size(),
            demoted.size(),
            demoted.isEmpty() ? "" : ", to " + target.topic() + " at " + target.cluster());
  }
}
