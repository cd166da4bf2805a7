package io.taskbroker.rules;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.config.ConfigException;
import io.taskbroker.config.RuntimeConfig;
import io.taskbroker.inflight.api.Rules.Decision;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Fuzz test of the rules file with arbitrary content (H22): it is refused in one way only, and its
/// rules by name are applied.
final class RuleSetFuzzTest {
  private static final RuleContext CONTEXT =
      new RuleContext(
          "long", "dead:9092", true, List.of(new RuleContext.Consumed("tasks", "main:9092,b")));

  @MethodSource("seeds")
  @FuzzTest
  void obeysOrRefuses(byte[] content) {
    RuntimeConfig config;
    try {
      config = RuntimeConfig.parse(Path.of("rules.yaml"), content, _ -> {});
    } catch (ConfigException e) {
      assertThat(e.problems()).isNotEmpty();
      return;
    }
    var rules = new RuleSet(config, CONTEXT);
    for (var killswitch : config.killswitches()) {
      Decision verdict = rules.judge(task(killswitch.task(), "namespace"));
      assertThat(!killswitch.always() || verdict.equals(new Decision.Killed(false))).isTrue();
    }
    for (String namespace : config.demotedNamespaces()) {
      assertThat(rules.judge(task("no such task, surely", namespace)))
          .isNotEqualTo(Decision.Kept.AS_IT_IS);
    }
    assertThat(rules.toString()).doesNotContain("\n");
  }

  private static Activation task(String name, String namespace) {
    return new Activation(
        "id",
        "app",
        namespace,
        name,
        new byte[0],
        new Origin("tasks", 0, 0),
        0,
        Activation.NEVER,
        0,
        0,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
            "drop_task_killswitch: []\ndemoted_namespaces: []\n",
            """
            drop_task_killswitch:
            - a.b.c
            - {name: m, select_arg: {0: 1, 3: [x, {y: 0.5}]}, select_kwarg: {k: null, "l": true}}
            - {name: only}
            demoted_namespaces: [n, ~]
            demoted_topic_cluster: "a:1, b"
            demoted_topic: t
            """,
            """
            drop_task_killswitch: &a [x]
            demoted_namespaces: *a
            demoted_topic: tasks
            demoted_topic_cluster: b
            """,
            "{drop_task_killswitch: [{name: m, select_arg: {99999999999: 1}}],"
                + " demoted_namespaces: {}, unknown: 1}")
        .map(text -> text.getBytes(UTF_8));
  }
}
