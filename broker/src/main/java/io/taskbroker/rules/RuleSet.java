package io.taskbroker.rules;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.config.RuntimeConfig;
import io.taskbroker.config.RuntimeConfig.Killswitch;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.rules.RuleStatus.Effect;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Rules of one file (reference-spec 3.7), with their usage counters. A task that no rule names
/// costs two hash look-ups; its arguments are decoded only if a selector exists for it. The rules
/// are immutable; thread-safe.
public final class RuleSet implements Rules {
  private static final Decision BY_NAME = new Decision.Killed(false);
  private static final Decision BY_SELECTOR = new Decision.Killed(true);

  /// Bound of the rules whose names are compared with task names while they match nothing.
  private static final int MAX_COMPARED = 8;

  private final Map<String, TaskRule> tasks = new HashMap<>();
  private final Map<String, RuleUse> namespaces = new HashMap<>();
  private final List<RuleUse> compared;
  private final Decision demotion;
  private final Destination target;
  private volatile boolean judged;

  private record TaskRule(Selector selector, RuleUse use) {}

  public RuleSet(RuntimeConfig config, RuleContext context) {
    Map<String, List<Killswitch>> byTask =
        config.killswitches().stream().collect(Collectors.groupingBy(Killswitch::task));
    byTask.forEach((task, killswitches) -> {
      Selector selector = Selector.of(killswitches);
      if (!selector.isEmpty()) {
        tasks.put(task, new TaskRule(selector, new RuleUse(task)));
      }
    });
    config.demotedNamespaces().forEach(name -> namespaces.put(name, new RuleUse(name)));
    compared = killed().stream().limit(MAX_COMPARED).toList();
    String topic = config.demotedTopic().orElse(context.topic());
    String cluster = config.demotedCluster().orElse(context.cluster());
    target = new Destination(topic, cluster, Map.of());
    demotion =
        context.consumes(topic, cluster)
            ? Decision.Kept.WOULD_COME_BACK
            : new Decision.Demoted(target);
  }

  @Override
  public boolean exist() {
    return !tasks.isEmpty() || !namespaces.isEmpty();
  }

  @Override
  public Decision judge(Activation activation) {
    if (!judged) {
      judged = true;
    }
    TaskRule rule = tasks.get(activation.taskname());
    if (rule == null) {
      for (RuleUse use : compared) {
        use.compare(activation);
      }
    } else {
      rule.use().see();
      Selector selector = rule.selector();
      if (selector.always() || Arguments.match(selector, activation.payload())) {
        rule.use().match();
        return selector.always() ? BY_NAME : BY_SELECTOR;
      }
    }
    RuleUse demoted = namespaces.get(activation.namespace());
    if (demoted == null) {
      return Decision.Kept.AS_IT_IS;
    }
    demoted.see();
    demoted.match();
    return demotion;
  }

  /// Whether any task was judged.
  boolean hasJudged() {
    return judged;
  }

  /// Usage of the rules that switch tasks off, by name.
  List<RuleUse> killed() {
    return tasks.values().stream()
        .map(TaskRule::use)
        .sorted(Comparator.comparing(RuleUse::name))
        .toList();
  }

  /// Usage of the rules that demote namespaces, by name.
  List<RuleUse> demoted() {
    return namespaces.values().stream().sorted(Comparator.comparing(RuleUse::name)).toList();
  }

  /// All rules, with the number of tasks that they applied to.
  List<RuleStatus.Rule> status() {
    return Stream.concat(
            killed().stream().map(use -> rule(Effect.SWITCHED_OFF, use)),
            demoted().stream().map(use -> rule(Effect.DEMOTED, use)))
        .toList();
  }

  private static RuleStatus.Rule rule(Effect effect, RuleUse use) {
    return new RuleStatus.Rule(effect, use.name(), use.matches());
  }

  /// Fate of the tasks of a name in a namespace.
  public Fate fate(String namespace, String taskname) {
    TaskRule rule = tasks.get(taskname);
    if (rule != null) {
      return rule.selector().always() ? Fate.REMOVED : Fate.REMOVED_BY_ARGUMENTS;
    }
    return namespaces.containsKey(namespace) && !wouldComeBack() ? Fate.DEMOTED : Fate.KEPT;
  }

  /// Fate of the tasks of one name.
  public enum Fate {
    KEPT,
    REMOVED,
    /// Those with certain arguments are removed.
    REMOVED_BY_ARGUMENTS,
    DEMOTED
  }

  /// Whether namespaces are demoted to a topic that this broker consumes, so that their tasks stay.
  boolean wouldComeBack() {
    return !namespaces.isEmpty() && demotion == Decision.Kept.WOULD_COME_BACK;
  }

  /// Summary in one line, for the log.
  @Override
  public String toString() {
    return "tasks switched off, at least for some arguments: %d; namespaces demoted: %d%s"
        .formatted(
            tasks.size(),
            namespaces.size(),
            namespaces.isEmpty() ? "" : ", to " + target.topic() + " at " + target.cluster());
  }
}
