package io.taskbroker.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.config.RuntimeConfig.Killswitch;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RuntimeConfigTest {
  private final List<String> warnings = new ArrayList<>();

  @Test
  void readsEverything() {
    RuntimeConfig config =
        parse(
            """
            drop_task_killswitch:
              - module:task
              - name: other:task
                select_arg: {0: 7, 3: [a, null, {b: 1.5}]}
                select_kwarg: {org: "7", on: true}
              - {name: kwargs, select_kwarg: {x: null}, select_arg: null}
            demoted_namespaces: [slow, null]
            demoted_topic_cluster: "a:9092, b"
            demoted_topic: long
            """);
    assertThat(config.killswitches())
        .containsExactly(
            new Killswitch("module:task", true, Map.of(), Map.of()),
            new Killswitch(
                "other:task",
                false,
                Map.of(
                    0,
                    new Literal.Whole(BigInteger.valueOf(7)),
                    3,
                    new Literal.Items(
                        List.of(
                            new Literal.Text("a"),
                            Literal.Nil.NIL,
                            new Literal.Fields(Map.of("b", new Literal.Real(1.5)))))),
                Map.of("org", new Literal.Text("7"), "on", new Literal.Bool(true))),
            new Killswitch("kwargs", false, Map.of(), Map.of("x", Literal.Nil.NIL)));
    assertThat(config.demotedNamespaces()).containsExactlyInAnyOrder("slow", "");
    assertThat(config.demotedCluster()).contains("a:9092, b");
    assertThat(config.demotedTopic()).contains("long");
    assertThat(warnings).isEmpty();
  }

  @Test
  void listsMayBeEmptyAndTheRestMayBeMissing() {
    RuntimeConfig config = parse("drop_task_killswitch:\ndemoted_namespaces: []\ndemoted_topic:");
    assertThat(config)
        .isEqualTo(new RuntimeConfig(List.of(), Set.of(), Optional.empty(), Optional.empty()));
  }

  @Test
  void warnsOfKeysWithoutEffect() {
    parse(
        """
        drop_task_killswitch: [{name: a, select_args: {0: 1}}]
        demoted_namespaces: []
        demoted_topics: long
        """);
    assertThat(warnings)
        .containsExactly(
            "rules.yaml:3:17: unknown key demoted_topics has no effect",
            "rules.yaml:1:47: unknown key drop_task_killswitch[0].select_args has no effect",
            "rules.yaml:1:24: drop_task_killswitch[0] has no condition and matches nothing; to"
                + " switch the task off, write only its name");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          demoted_namespaces: []|drop_task_killswitch: is missing
          drop_task_killswitch: []|demoted_namespaces: is missing
          ''|drop_task_killswitch: is missing
          - a|must be a map of keys
          {drop_task_killswitch: a, demoted_namespaces: []}|drop_task_killswitch = "a": must be a list
          {drop_task_killswitch: [7], demoted_namespaces: []}|drop_task_killswitch[0] = 7: must be text
          {drop_task_killswitch: [{select_arg: {0: 1}}], demoted_namespaces: []}|[0].name: is missing
          {drop_task_killswitch: [{name: a, select_arg: {x: 1}}], demoted_namespaces: []}|select_arg.x = 1: must have an argument position
          {drop_task_killswitch: [{name: a, select_arg: {-1: 1}}], demoted_namespaces: []}|select_arg.-1 = 1: must have an argument position
          {drop_task_killswitch: [{name: a, select_kwarg: [1]}], demoted_namespaces: []}|select_kwarg = [...]: must be a map
          {drop_task_killswitch: [], demoted_namespaces: {a: b}}|demoted_namespaces = {...}: must be a list
          {drop_task_killswitch: [], demoted_namespaces: [[a]]}|demoted_namespaces[0] = [...]: must be text
          {drop_task_killswitch: [], demoted_namespaces: [], demoted_topic: a b}|demoted_topic = "a b": must be the name
          {drop_task_killswitch: [], demoted_namespaces: [], demoted_topic_cluster: 'a:b'}|demoted_topic_cluster = "a:b": must be host:port
          {drop_task_killswitch: [], demoted_namespaces: [|not valid YAML
          """)
  void rejectsTheWholeFileAndSaysWhy(String text, String message) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(message);
  }

  @Test
  void rejectsOversizedAndNonTextFiles() {
    assertThatThrownBy(() -> RuntimeConfig.parse(Path.of("f"), new byte[(1 << 20) + 1], _ -> {}))
        .hasMessage("f: larger than 1048576 bytes");
    assertThatThrownBy(() -> RuntimeConfig.parse(Path.of("f"), new byte[] {-1}, _ -> {}))
        .hasMessage("f: not UTF-8 text");
  }

  private RuntimeConfig parse(String text) {
    return RuntimeConfig.parse(Path.of("rules.yaml"), text.getBytes(UTF_8), warnings::add);
  }
}
