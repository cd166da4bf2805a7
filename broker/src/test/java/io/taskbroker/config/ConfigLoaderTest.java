package io.taskbroker.config;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.URI;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(240)
final class ConfigLoaderTest {
  private final List<String> warnings = new ArrayList<>();

  @TempDir private Path dir;

  @Test
  void environmentOverridesTheFile() {
    BrokerConfig config =
        Configs.load(
            """
            grpc_port: 1
            grpc_shared_secret: [a, b]
            store: {max_pending_count: 7, pg: {host: file, port: 1}}
            default_metrics_tags: {x: file, y: file}
            """,
            Map.of(
                "TASKBROKER_GRPC_PORT", "2",
                "TASKBROKER_GRPC_SHARED_SECRET", "[c]",
                "TASKBROKER_STORE__PG__HOST", "env",
                "TASKBROKER_STORE__PG__PASSWORD", "\"12345\"",
                "TASKBROKER_DEFAULT_METRICS_TAGS", "{y=env, \"z z\"=\"q,}\"}",
                "taskbroker_delivery_mode", "push",
                "PATH", "/bin"),
            warnings);

    assertThat(config.grpc().port()).isEqualTo(2);
    assertThat(config.grpc().sharedSecrets()).containsExactly(new Secret("c"));
    assertThat(config.store().limits().maxPending()).isEqualTo(7);
    assertThat(config.store().postgres().address().host()).isEqualTo("env");
    assertThat(config.store().postgres().address().port()).isEqualTo(1);
    assertThat(config.store().postgres().login().password().reveal()).isEqualTo("12345");
    assertThat(config.telemetry().metrics().defaultTags())
        .isEqualTo(Map.of("x", "file", "y", "env", "z z", "q,}"));
    assertThat(config.deliveryMode()).isEqualTo(DeliveryMode.PUSH);
    assertThat(warnings).isEmpty();
  }

  @Test
  void topicsAndClustersCanComeFromTheEnvironment() {
    BrokerConfig config =
        Configs.load(
            "",
            Map.of(
                "TASKBROKER_KAFKA_CLUSTERS__MAIN__ADDRESS", "k:9092",
                "TASKBROKER_KAFKA_TOPICS__TASKS", "{cluster=main,consumer_group=g}",
                "TASKBROKER_KAFKA_TOPICS__DLQ", "{cluster=main,consumer_group=g,produce_only=true}",
                "TASKBROKER_KAFKA_DEADLETTER_TOPIC", "dlq"),
            warnings);

    assertThat(config.kafka().topics()).containsOnlyKeys("tasks", "dlq");
    assertThat(config.kafka().retryTopic()).isEqualTo("tasks");
  }

  @Test
  void aWorkerMapReplacesTheDefaultButMergesWithTheEnvironment() {
    assertThat(
            Configs.load(
                    "worker_map: {a: \"http://a:1\"}",
                    Map.of("TASKBROKER_WORKER_MAP__B", "http://b:2"),
                    warnings)
                .workerMap())
        .isEqualTo(Map.of("a", URI.create("http://a:1"), "b", URI.create("http://b:2")));
    assertThat(Configs.yaml("worker_map:\n").workerMap()).containsOnlyKeys("sentry");
    assertThatThrownBy(() -> Configs.yaml("worker_map: {}"))
        .hasMessage("worker_map = {}: must name the URL of at least one application");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "true | true",
        "-12 | -12",
        "1.50 | 1.5",
        "text, with = signs | \"text, with = signs\"",
        "1.2.3 | \"1.2.3\"",
        "\"12\" | \"12\"",
        "\"a\\\"b\" | \"a\"b\"",
        "[1, a b ,true] | [1, \"a b\", true]",
        "[[1],[]] | [[1], []]",
        "{a=1,b-2={c=[x]}} | {a=1, b-2={c=[\"x\"]}}",
        "{} | {}",
        "[unfinished | \"[unfinished\"",
        "{a:1} | \"{a:1}\"",
        "[1] rest | \"[1] rest\"",
        "{sentry=http://h:1/} | {sentry=\"http://h:1/\"}",
      })
  void valuesOfVariablesFollowTheGrammar(String written, String read) {
    assertThat(shown(Environment.value(written, "test"))).isEqualTo(read);
  }

  @Test
  void unquotedNumberIsNotText() {
    assertThatThrownBy(
            () -> Configs.load("", Map.of("TASKBROKER_KAFKA_CONSUMER_GROUP", "12345"), warnings))
        .hasMessage(
            "kafka_consumer_group = 12345: must be text, and not empty; quote it if it looks like"
                + " a number (environment variable TASKBROKER_KAFKA_CONSUMER_GROUP)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"['']", "[\" \"]", "[good, '']", "[\"\\t\"]", "[null]", "''", "' '"})
  void emptySecretIsRejected(String secrets) {
    assertThat(problem("grpc_shared_secret: " + secrets))
        .startsWith("grpc_shared_secret")
        .contains("must be")
        .doesNotContain("good");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[\"\"]", "[ ]x", "[,]", "[good,]", "[\" \"]", "", "[\"good\", \"\"]"})
  void emptySecretInTheEnvironmentIsRejected(String secrets) {
    assertThatThrownBy(
            () -> Configs.load("", Map.of("TASKBROKER_GRPC_SHARED_SECRET", secrets), warnings))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("grpc_shared_secret")
        .hasMessageContaining("must be")
        .hasMessageNotContaining("good");
  }

  /// UTF-8 bytes of "clé", as the platform decodes them in other locales.
  @Test
  void textAlteredByTheLocaleIsRejectedWithoutShowingIt() {
    String name = "TASKBROKER_GRPC_SHARED_SECRET";
    for (Charset encoding : List.of(US_ASCII, ISO_8859_1)) {
      String altered = new String("[clé]".getBytes(UTF_8), encoding);
      assertThatThrownBy(() ->
              ConfigLoader.load(Optional.empty(), Map.of(name, altered), encoding, warnings::add))
          .isInstanceOf(ConfigException.class)
          .hasMessageStartingWith("environment variable " + name)
          .hasMessageContaining("the locale's encoding " + encoding)
          .hasMessageContaining("LC_ALL=C.UTF-8")
          .hasMessageNotContaining("cl");
      assertThat(
              ConfigLoader.load(
                  Optional.empty(), Map.of(name, "[cle]", "X", altered), encoding, warnings::add))
          .isNotNull();
    }
    String noText = new String("[clé]".getBytes(ISO_8859_1), UTF_8);
    assertThatThrownBy(() -> Configs.load("", Map.of(name, noText), warnings))
        .hasMessage("environment variable " + name + ": is not UTF-8");
    assertThat(Configs.load("", Map.of(name, "[clé]"), warnings).grpc().sharedSecrets())
        .containsExactly(new Secret("clé"));
    assertThat(PlatformEncoding.flaw("/var/é", US_ASCII)).isPresent();
    assertThat(PlatformEncoding.flaw("/var/é", UTF_8)).isEmpty();
  }

  @Test
  void allProblemsAreReportedAtOnceWithoutSecrets() {
    var failure =
        catchThrowableOfType(
            ConfigException.class,
            () ->
                Configs.load(
                    """
                    grpc_port: 70000
                    grpc_addr: localhost
                    grpc_shared_secret: [12345678]
                    sentry_dsn: 87654321
                    push: {update: {batch: {interval: 0ms}}, threads: 0}
                    fetch: {threads: 3, backoff: 1.5s}
                    store: nothing
                    delivery_mode: PUSH
                    statsd_addr: host
                    worker_map: {a: "ftp://a"}
                    """,
                    Map.of("TASKBROKER_MAX_MESSAGE_SIZE", "big"),
                    warnings));

    assertThat(message(failure).lines())
        .hasSize(13)
        .hasSameSizeAs(failure.problems())
        .allMatch(line -> line.contains(": must "))
        .noneMatch(line -> line.contains("12345678") || line.contains("87654321"))
        .anyMatch(line -> line.startsWith("grpc_shared_secret[0] = ******: must be text"))
        .anyMatch(line -> line.startsWith("sentry_dsn = ******: must be text"))
        .anyMatch(line ->
            line.startsWith("grpc_port = 70000: must be a whole number from 0 to 65535 (")
                && line.endsWith(".yaml:1:12)"))
        .anyMatch(line -> line.contains("(environment variable TASKBROKER_MAX_MESSAGE_SIZE)"));
    assertThat(failure.problems().stream().map(ConfigException.Problem::key))
        .contains("grpc_addr", "push.threads", "fetch.threads", "fetch.backoff", "store")
        .contains("delivery_mode", "statsd_addr", "worker_map.a");
  }

  @Test
  void w15AnUpdateIntervalOfZeroIsAnError() {
    assertThatThrownBy(() -> Configs.yaml("push: {update: {batch: {interval: 0ms}}}"))
        .hasMessageStartingWith(
            "push.update.batch.interval = \"0ms\": must be a duration such as 250ms or 1s, and not"
                + " zero (");
    assertThatThrownBy(() -> Configs.yaml("push_update_interval_ms: 0"))
        .hasMessageStartingWith("push.update.batch.interval = \"0ms\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "1m", "1 s", "1.5s", "-1s", "1S", "ms", "\"\""})
  void durationsAreMillisecondsOrSeconds(String written) {
    assertThatThrownBy(() -> Configs.yaml("fetch: {backoff: " + written + "}"))
        .hasMessageContaining("must be a duration such as 250ms or 1s");
  }

  @Test
  void outOfRangeNumbersAreClamped() {
    BrokerConfig config =
        Configs.yaml(
            """
            store: {max_pending_count: 18446744073709551615, max_size: 18446744073709551615}
            maintenance_task_interval_ms: 18446744073709551615
            push: {timeout: 18446744073709551615s, queue: {size: 9999999999}}
            fetch: {batch_length: 9999999999}
            """);

    assertThat(config.store().limits().maxPending()).isEqualTo(Integer.MAX_VALUE);
    assertThat(config.store().limits().maxSize()).contains(Long.MAX_VALUE);
    assertThat(config.upkeep().vacuum().maintenanceInterval()).isEqualTo(Duration.ofDays(3653));
    assertThat(config.claimLease()).isPositive();
    assertThatThrownBy(() -> Configs.yaml("max_message_size: -1")).hasMessageContaining("= -1:");
  }

  @Test
  void unknownKeysAreWarnedOfAndIgnored() {
    Configs.load(
        """
        db_name: x
        grpc_prt: 1
        store: {max_pendng_count: 1, sqlite: {pth: y}}
        completely_different_thing_of_somebody_else: 1
        kafka_clusters: {main: {address: "k:1", securty_protocol: ssl}}
        kafka_topics:
          t: {cluster: main, consumer_group: g, grp: g, raw: }
          taskworker-dlq: {cluster: main, consumer_group: g, produce_only: true}
        """,
        Map.of("TASKBROKER_LOG_FORMT", "json"),
        warnings);

    assertThat(String.join("\n", warnings))
        .contains("key db_name is ignored; the nearest known key is db_path (")
        .contains("key grpc_prt is ignored; the nearest known key is grpc_port (")
        .contains(
            "key store.max_pendng_count is ignored; the nearest known key is"
                + " store.max_pending_count (")
        .contains("key store.sqlite.pth is ignored; the nearest known key is store.sqlite.path (")
        .contains(
            "key kafka_clusters.main.securty_protocol is ignored; the nearest known key is"
                + " kafka_clusters.main.security_protocol (")
        .contains("key kafka_topics.t.grp is ignored")
        .contains(
            "key log_formt is ignored; the nearest known key is log_format (environment variable"
                + " TASKBROKER_LOG_FORMT)")
        .containsPattern("key completely_different_thing_of_somebody_else is ignored \\(");
    assertThat(warnings).hasSize(8);
  }

  @Test
  void malformedYamlIsOneLineWithLineAndColumn() {
    assertThat(problem("grpc_port: 1\nlog_filter: \"secret\nstore: {"))
        .matches(".*\\.yaml:\\d+:\\d+: not valid YAML: [^\\n]+")
        .doesNotContain("secret");
    assertThat(problem("a: [1, 2")).matches(".*\\.yaml:\\d+:\\d+: not valid YAML: [^\\n]+");
    assertThat(problem("\tgrpc_port: 1")).matches(".*\\.yaml:1:\\d+: not valid YAML: [^\\n]+");
    assertThat(problem("- a\n- b")).endsWith(".yaml:1:1: must be a map of keys");
    assertThat(problem("a: 1\n---\nb: 2")).contains(".yaml:3:").endsWith("a single YAML document");
  }

  @Test
  void duplicateKeyIsAnError() {
    assertThat(problem("grpc_port: 1\nstore:\n  max_size: 1\n  max_size: 2\n"))
        .endsWith(".yaml:4:3: key max_size occurs twice");
  }

  @Test
  void unreadableFileIsOneLine() throws Exception {
    Path missing = dir.resolve("missing.yaml");
    assertThatThrownBy(() -> ConfigLoader.load(Optional.of(missing), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessage(missing + ": no such configuration file");
    assertThatThrownBy(() -> ConfigLoader.load(Optional.of(dir), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith(dir + ": cannot read the configuration file: ");
    Path binary = Files.write(dir.resolve("binary"), new byte[] {(byte) 0xC3, 0x28});
    assertThatThrownBy(() -> ConfigLoader.load(Optional.of(binary), Map.of()))
        .hasMessage(binary + ": not UTF-8 text");
    Path large = Files.write(dir.resolve("large"), new byte[(1 << 20) + 1]);
    assertThatThrownBy(() -> ConfigLoader.load(Optional.of(large), Map.of()))
        .hasMessage(large + ": larger than 1048576 bytes");
  }

  @Test
  void anEmptyFileIsNoConfiguration() {
    assertThat(Configs.yaml("")).isEqualTo(Configs.defaults());
    assertThat(Configs.yaml("# nothing\n")).isEqualTo(Configs.defaults());
    assertThat(Configs.yaml("store:\npush:\n")).isEqualTo(Configs.defaults());
  }

  @Test
  void aliasesAreFollowed() {
    BrokerConfig config =
        Configs.load(
            """
            store:
              pg: {port: 1, host: &host 'h', username: *host, # 😀 is one character
                  password: !!str &login p, ddl_password: *login}
            kafka_clusters: {a: &a {address: "k:1"}, b: *a}
            kafka_topics:
              t: {cluster: a, consumer_group: g}
              taskworker-dlq: {cluster: b, consumer_group: g, produce_only: true}
            """,
            Map.of("TASKBROKER_KAFKA_CLUSTERS__B__SECURITY_PROTOCOL", "ssl"),
            warnings);

    assertThat(config.store().postgres().login().username()).isEqualTo("h");
    assertThat(config.store().postgres().migrator().password().reveal()).isEqualTo("p");
    assertThat(config.kafka().clusterOf("t").security().protocol()).isEmpty();
    assertThat(config.kafka().clusterOf("taskworker-dlq").security().protocol()).contains("SSL");
  }

  @Test
  void aliasExpansionIsBounded() {
    var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
      bomb.append("a%d: &a%d [".formatted(i, i)).append("*a%d, ".formatted(i - 1).repeat(9));
      bomb.append("*a%d]\n".formatted(i - 1));
    }
    assertThat(problem(bomb.toString())).endsWith("more than 100000 values, aliases included");
    assertThat(problem("a: &a [*a]")).endsWith("quote such text");
    assertThat(problem("[".repeat(5000))).contains("must be a map of keys");
    assertThat(problem("a: " + "[".repeat(5000))).contains(" deep");
  }

  /// An unquoted one is an alias.
  @Test
  void unquotedSecretWithAsteriskIsNotRevealed() {
    assertThat(problem("a: b\ngrpc_shared_secret: *hunter2\n"))
        .endsWith(
            ".yaml:2:21: begins with * but is not an alias of a value above: quote such text");
  }

  @Test
  void g7ShownValuesAreTruncated() {
    assertThat(problem("grpc_port: " + "x".repeat(1000) + "\n"))
        .contains("grpc_port = \"" + "x".repeat(79) + "...: ");
    assertThat(problem("grpc_port: \"a\\nb\"\n")).contains("grpc_port = \"a?b\": ");
  }

  @Test
  void g7NestingInTheEnvironmentIsBounded() {
    assertThat(Environment.value("[".repeat(33) + "]".repeat(33), ""))
        .isInstanceOf(ConfigNode.Items.class);
    assertThat(Environment.value("[".repeat(10_000) + "]".repeat(10_000), ""))
        .isInstanceOf(ConfigNode.Scalar.class);
  }

  private String problem(String yaml) {
    var failure =
        catchThrowableOfType(ConfigException.class, () -> Configs.load(yaml, Map.of(), warnings));
    assertThat(failure.problems()).hasSize(1);
    return message(failure);
  }

  private static String message(ConfigException failure) {
    return requireNonNull(failure.getMessage());
  }

  private static String shown(ConfigNode node) {
    return switch (node) {
      case ConfigNode.Scalar scalar -> scalar.shown();
      case ConfigNode.Items(var items, _) ->
          items.stream().map(ConfigLoaderTest::shown).toList().toString();
      case ConfigNode.Section(var entries, _) -> {
        var shown = new LinkedHashMap<String, String>();
        entries.forEach((key, value) -> shown.put(key, shown(value)));
        yield shown.toString();
      }
    };
  }
}
