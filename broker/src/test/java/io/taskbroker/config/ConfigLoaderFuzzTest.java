package io.taskbroker.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.fuzz.Portions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary file contents and environments: rejected with one kind of exception, which never
/// reveals secrets.
final class ConfigLoaderFuzzTest {
  private static final String SECRET = "XSECRETX";
  private static final String[] KEYS = {
    "",
    "grpc_shared_secret: ",
    "sentry_dsn: ",
    "store: {pg: {password: ",
    "pg_ddl_password: ",
    "kafka_sasl_password: ",
    "kafka_clusters: {c: {address: 'k:1', sasl_password: ",
    "grpc_shared_secret:\n- a\n- ",
  };

  /// First characters of an unquoted secret.
  private static final String[] BEGINNINGS = {
    "", "*", "&", "!", "!!", "'", "\"", "[", "[a, ", "|", ">", "-", "- ", "@", "%", "`", "#", "=",
  };

  private static final String[] VARIABLES = {
    "GRPC_SHARED_SECRET",
    "SENTRY_DSN",
    "STORE__PG__PASSWORD",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_CLUSTERS__C__SASL_PASSWORD",
    "GRPC_SHARED_SECRET__X",
    "GRPC_SHARED_SECRETS",
  };

  @MethodSource("seeds")
  @FuzzTest
  void rejectsWithoutRevealingSecrets(byte[] input) {
    var portions = new Portions(input);
    int key = portions.number() % KEYS.length;
    String beginning = BEGINNINGS[portions.number() % BEGINNINGS.length];
    String variable = VARIABLES[portions.number() % VARIABLES.length];
    String around = innocent(portions.text());
    String other = innocent(portions.text());
    String value = innocent(portions.text());
    String text = innocent(new String(portions.rest(), UTF_8));
    String file = key == 0 ? text : KEYS[key] + beginning + SECRET + text;
    // Part of a list or of quoted text, or the whole value.
    int middle = around.length() / 2;
    var environment = new HashMap<String, String>();
    environment.put("TASKBROKER_" + other, value);
    environment.put(
        "TASKBROKER_" + variable, around.substring(0, middle) + SECRET + around.substring(middle));

    List<String> output = new ArrayList<>();
    try {
      BrokerConfig config = Configs.load(file, environment, output);
      output.add(EffectiveConfig.yaml(config));
      output.add(config.toString());
    } catch (ConfigException e) {
      assertThat(e.problems()).isNotEmpty();
      output.add(String.valueOf(e.getMessage()));
    }

    assertThat(output).noneMatch(line -> line.contains(SECRET));
  }

  /// Removes the secret, since the fuzzer finds constants of this program.
  private static String innocent(String text) {
    return text.replace(SECRET, "");
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
        seed(0, 0, 0, "[a,]", "grpc_port", "1", "{grpc_port: 1, worker_map: {a: 'http://h:1'}}"),
        seed(1, 0, 1, "", "push__timeout", "5s", "\nstore: {max_pending_count: 7}\n"),
        seed(2, 6, 2, "\"\"", "kafka_topics__t", "{cluster=c,consumer_group=g}", ": x"),
        seed(3, 9, 3, "{a=}", "default_metrics_tags", "{a=b}", "}}\npush: {timeout: 5s}"),
        seed(4, 13, 4, "1", "log_level", "debug", "\n  x: y"),
        seed(5, 4, 5, "a", "store", "", "\n\t- z"),
        seed(
            6,
            5,
            6,
            "b",
            "kafka_topics__t__cluster",
            "c",
            "\"}}\nkafka_topics: {t: {cluster: c, consumer_group: g, raw: {taskname: t}}}"),
        seed(7, 1, 0, "[[]]", "x", "", ""),
        seed(0, 0, 0, "", "x", "", "a: &a [b, *c]\nd: !!int 0x1F\ne: .inf\n? [f]\n: g"));
  }

  private static byte[] seed(
      int key,
      int beginning,
      int variable,
      String around,
      String other,
      String value,
      String text) {
    return new Portions.Seed()
        .number(key)
        .number(beginning)
        .number(variable)
        .text(around)
        .text(other)
        .text(value)
        .rest(text);
  }
}
