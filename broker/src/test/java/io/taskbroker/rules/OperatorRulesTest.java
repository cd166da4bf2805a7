package io.taskbroker.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.config.ConfigException;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.inflight.api.Rules.Decision;
import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.RuleHistory.Version;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Rules of the API: their versions, and how they meet those of the file (ADR 43).
@Timeout(240)
final class OperatorRulesTest {
  private static final RuleContext CONTEXT = new RuleContext("long", "dead:9092", true, List.of());

  private final List<Rules> received = new CopyOnWriteArrayList<>();
  private final RulesInForce inForce = new RulesInForce(new Engine());

  @TempDir private Path dir;

  private final class Engine implements CommandSink {
    @Override
    public void request(Command.Request request) {
      throw new AssertionError("The rules send no requests");
    }

    @Override
    public void submit(Command command) {
      received.add(((Command.RulesChanged) command).rules());
    }
  }

  private RuleHistory history() {
    return new RuleHistoryFile(dir.resolve("rules"));
  }

  private OperatorRules rules(RuleHistory history, boolean shared) {
    return new OperatorRules(
        history,
        shared,
        CONTEXT,
        inForce,
        (_, failure) -> {
          throw new AssertionError(failure);
        });
  }

  /// Alone, it has nothing to look for until rules are set.
  @Test
  void aBrokerAloneSleepsUntilThereAreRules() {
    OperatorRules rules = rules(history(), false);
    assertThat(rules.load()).isEqualTo(Rules.NONE);
    rules.start();
    try {
      await().until(() -> state() == Thread.State.WAITING);
      assertThat(rules.set(0, "ann", "bad deploy", killing("bad"))).isPresent();
      await().until(() -> state() == Thread.State.TIMED_WAITING); // until the next report
    } finally {
      rules.stop();
    }
  }

  private static Thread.State state() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("api-rules"))
        .findFirst()
        .map(Thread::getState)
        .orElse(Thread.State.NEW);
  }

  @Test
  void aVersionHoldsAtOnceAndAfterARestart() {
    OperatorRules rules = rules(history(), false);
    assertThat(rules.load()).isEqualTo(Rules.NONE);
    assertThat(rules.current()).isEmpty();

    Version set = rules.set(0, "ann", "bad deploy", killing("bad")).orElseThrow();
    assertThat(set.number()).isOne();
    assertThat(rules.current()).contains(set);
    assertThat(received).hasSize(1);
    assertThat(received.getLast().judge(task("bad", "n"))).isEqualTo(new Decision.Killed(false));
    assertThat(rules.rules())
        .containsExactly(new RuleStatus.Rule(RuleStatus.Effect.SWITCHED_OFF, "bad", 1));

    OperatorRules again = rules(history(), false);
    assertThat(again.load().judge(task("bad", "n"))).isEqualTo(new Decision.Killed(false));
    assertThat(again.current()).contains(set);
    assertThat(received).as("the start is no change").hasSize(1);
  }

  @Test
  void ofTwoOperatorsTheSecondIsToldOfTheFirst() {
    OperatorRules rules = rules(history(), false);
    rules.load();
    assertThat(rules.set(0, "ann", "why", killing("a"))).isPresent();
    assertThat(rules.set(0, "bob", "why", killing("b"))).isEmpty();
    assertThat(rules.current().map(Version::who)).contains("ann");
    assertThat(rules.set(1, "bob", "why", killing("b"))).isPresent();
    assertThat(rules.versions()).extracting(Version::who).containsExactly("bob", "ann");
  }

  @Test
  void invalidRulesChangeNothing() {
    OperatorRules rules = rules(history(), false);
    rules.load();
    assertThatThrownBy(() -> rules.set(0, "ann", "why", "drop_task_killswitch: 7"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("demoted_namespaces");
    assertThatThrownBy(
            () -> rules.set(0, "ann", "why", killing("a") + "demoted_topic_cluster: far:9092\n"))
        .as("credentials go nowhere else")
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("only the rules file");
    assertThat(rules.current()).isEmpty();
    assertThat(history().latest()).isEmpty();
    assertThat(received).isEmpty();
  }

  /// Another broker of the store sets a version, and later one that this broker does not
  /// understand.
  @Test
  void h22OtherBrokersAreFollowedAsFarAsTheyAreUnderstood() {
    RuleHistory history = history();
    OperatorRules rules = rules(history, true);
    rules.load();
    rules.start();
    try {
      history.append(new Version(1, Instant.EPOCH, "ann", "why", killing("bad")));
      await().atMost(Duration.ofSeconds(60)).until(() -> received.size() == 1);
      history.append(new Version(2, Instant.EPOCH, "ann", "why", "invalid: ["));
      await().atMost(Duration.ofSeconds(60)).until(() -> !rules.problem().isEmpty());
      assertThat(rules.problem()).contains("version 2 is not applied");
      assertThat(rules.current().map(Version::number)).contains(1L);
    } finally {
      rules.stop();
    }
    assertThatThrownBy(rules(history, true)::load).isInstanceOf(ConfigException.class);
  }

  @Test
  void neitherSourceLiftsWhatTheOtherStops() {
    OperatorRules rules = rules(history(), false);
    Rules none = inForce.start(Rules.NONE, rules.load());
    assertThat(none.exist()).isFalse();
    inForce.changeFile(rules.parse(rules("file", "slow"), _ -> {}));
    rules.set(0, "ann", "why", rules("api", "slow, other"));
    Rules both = received.getLast();
    assertThat(both.judge(task("file", "n"))).isInstanceOf(Decision.Killed.class);
    assertThat(both.judge(task("api", "n"))).isInstanceOf(Decision.Killed.class);
    assertThat(both.judge(task("api", "slow"))).isInstanceOf(Decision.Killed.class);
    assertThat(both.judge(task("file", "other"))).isInstanceOf(Decision.Killed.class);
    assertThat(both.judge(task("t", "slow"))).isInstanceOf(Decision.Demoted.class);
    assertThat(both.judge(task("t", "n"))).isEqualTo(Decision.Kept.AS_IT_IS);

    inForce.changeFile(Rules.NONE);
    assertThat(received.getLast().judge(task("file", "n"))).isEqualTo(Decision.Kept.AS_IT_IS);
    assertThat(received.getLast().judge(task("api", "n"))).isInstanceOf(Decision.Killed.class);
  }

  private static String killing(String names) {
    return rules(names, "");
  }

  private static String rules(String tasks, String namespaces) {
    return "drop_task_killswitch: [%s]\ndemoted_namespaces: [%s]\n".formatted(tasks, namespaces);
  }

  private static Activation task(String name, String namespace) {
    return new Activation(
        "id",
        "app",
        namespace,
        name,
        new byte[0],
        new Origin("tasks", 0, 1),
        0,
        Activation.NEVER,
        0,
        10,
        FailurePolicy.DISCARD,
        false,
        false);
  }
}
