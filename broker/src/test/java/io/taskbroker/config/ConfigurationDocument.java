package io.taskbroker.config;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Generator of `docs/configuration.md` from the keys; deterministic.
final class ConfigurationDocument {
  static final String PULL_NAME = "pull";
  static final String PUSH_NAME = "push";

  /// Minimal configuration file of pull mode.
  private static final String PULL =
      """
      delivery_mode: pull
      kafka_auto_offset_reset: earliest
      kafka_deadletter_topic: shop-dead-letters
      kafka_clusters:
        main: {address: "127.0.0.1:9092"}
      kafka_topics:
        shop-tasks: {cluster: main, consumer_group: shop}
        shop-dead-letters: {cluster: main, consumer_group: shop, produce_only: true}
      store:
        sqlite: {path: ./shop.sqlite}
      """;

  /// Minimal configuration file of push mode.
  private static final String PUSH =
      PULL.replace(
          "delivery_mode: pull\n",
          """
          delivery_mode: push
          worker_map:
            shop: http://127.0.0.1:50052
          """);

  private static final String INTRODUCTION =
      """
      # Configuration

      <!-- Written by ConfigurationDocumentTest from the keys in io.taskbroker.config: do not edit. -->

      A value comes from the environment, else from the YAML file (`-c FILE`), else from the defaults.
      Sections are merged key by key; all other values are replaced. All errors are reported at once, each
      with the key, the value, the valid values and the location. An unknown key is ignored, with a
      warning that names the nearest known one. A summary is logged at start; the effective configuration
      is logged at level `debug`, secrets hidden. A changed file or variable takes effect at the next
      start.

      | command | effect |
      |---|---|
      | `taskbroker config check -c FILE` | prints `OK` or all problems; exit code 0 or 1 |
      | `taskbroker config show -c FILE` | prints the effective configuration as YAML, secrets hidden |
      | `taskbroker config check --reference FILE` | the same as `check`, of a configuration of the reference; also prints what each of its keys means here ([migration.md](migration.md)) |

      All read the environment as the broker does. Without `-c`, only the defaults and the environment
      apply.

      ## The environment

      The variable of a key is `TASKBROKER_` and the key in upper case, with two underscores between
      sections: `TASKBROKER_STORE__SQLITE__PATH` is `store.sqlite.path`. Names are converted to lower
      case: a topic or cluster whose name has capitals, hyphens or dots must be in the file.

      | value | type |
      |---|---|
      | `true`, `false` | a boolean |
      | `12`, `-3` | an integer |
      | `0.5` | a number |
      | `[a,b]` | a list |
      | `{k=v,k2=v2}` | a map; keys of letters, digits, `_` and `-`, or quoted |
      | `"12"` | text that would have another type without the quotes |
      | anything else | text |

      A `duration` is text such as `250ms` or `1s`, without spaces, fractions or other units. A type with
      a question mark may be `null`. Out-of-range numbers are clamped to the maximum where the type has no
      explicit upper bound.

      ## Examples
      """;

  private static final String NO_EFFECT =
      """

      ## Keys

      Every key of the reference is read and validated. Some are meaningful only to a broker that polls
      its database: they are marked **No effect**, with the reason.
      """;

  private static final String RULES =
      """

      ### Rules for topics and clusters

      - `kafka_topics` and `kafka_clusters` must both be given and not empty, without any of the old keys
        below.
      - The `cluster` of each topic must be one of `kafka_clusters`. At least one topic must not be
        `produce_only`.
      - `kafka_deadletter_topic` must be declared, and must not be the consumed topic if old keys declare
        it.
      - `kafka_retry_topic` defaults to the consumed topic if there is only one and no topic is raw;
        otherwise it must be given. It must be declared, be neither the dead-letter topic nor raw, and be
        on a cluster with the same `address` as the dead-letter topic.
      - The `application` of a raw topic must be a key of `worker_map`.
      - A SASL `security_protocol` requires `sasl_mechanism`, `sasl_username` and `sasl_password`;
        `ssl_certificate_location` and `ssl_key_location` must be given together.

      ## Lease duration

      A task claimed for a push is requeued if its call has no outcome within

      `fetch.batch_length` × `push.queue.timeout` + rounds × `push.timeout` + updates,

      where rounds = ⌈`push.queue.size` ÷ `push.threads`⌉ + 1, and updates = rounds × 1 s, or with
      `push.update.batched` (`push.update.batch.length` + 1) × 1 s + `push.update.batch.interval`.

      The default is LEASE.

      ## Old keys

      Files with the flat keys of earlier versions load unchanged.

      ### One topic

      Without `kafka_topics` and `kafka_clusters`, these keys describe one consumed topic, and
      `kafka_deadletter_topic` on the same cluster unless another is given. The two clusters do not share
      credentials.

      """;

  private static final String MOVED =
      """

      ### Moved keys

      The old key applies where the new one is given neither in the file nor in the environment.

      | old key | new key |
      |---|---|
      """;

  private final StringBuilder text = new StringBuilder();

  private ConfigurationDocument() {}

  static String example(String name) {
    return name.equals(PULL_NAME) ? PULL : PUSH;
  }

  static String write() {
    return new ConfigurationDocument().all();
  }

  private String all() {
    text.append(INTRODUCTION);
    example("Workers fetch tasks", PULL);
    example("Workers are called by the broker", PUSH);
    text.append(NO_EFFECT);
    for (KeyTable<BrokerConfig> area : ConfigKeys.AREAS) {
      area(area, "");
    }
    area(ClusterKeys.TABLE, "kafka_clusters.<NAME>.");
    area(TopicKeys.TABLE, "kafka_topics.<NAME>.");
    area(RawKeys.TABLE, "kafka_topics.<NAME>.raw.");
    text.append(RULES.replace("LEASE", Configs.defaults().claimLease().toSeconds() + " s"));
    table("");
    OldKeys.KAFKA.forEach(key -> row(key, ""));
    OldKeys.RAW.forEach(key -> row(key, ""));
    text.append(MOVED);
    for (OldKeys.Moved moved : OldKeys.MOVED) {
      text.append(
          "| `%s` | `%s`%s |\n"
              .formatted(
                  moved.from(),
                  moved.to().path(),
                  moved.millis() ? ", a duration with the same number of milliseconds" : ""));
    }
    return text.toString();
  }

  private void example(String title, String yaml) {
    text.append("\n").append(title).append(":\n\n```yaml\n").append(yaml).append("```\n");
  }

  private <A> void area(KeyTable<A> area, String prefix) {
    text.append("\n### ").append(area.title()).append("\n\n");
    text.append(area.meaning()).append(".\n\n");
    table(prefix);
    area.keys().forEach(key -> row(key, prefix));
  }

  private void table(String prefix) {
    if (!prefix.isEmpty()) {
      text.append("Below `").append(prefix, 0, prefix.length() - 1).append("`:\n\n");
    }
    text.append("| key | type | default | meaning | environment |\n|---|---|---|---|---|\n");
  }

  private <A, T> void row(Key<A, T> key, String prefix) {
    text.append(
        "| `%s` | %s | %s | %s | `%s` |\n"
            .formatted(
                key.path(),
                type(key),
                fallback(key),
                meaning(key.doc()),
                variable(prefix + key.path())));
  }

  /// Name of the type, or the valid values where they say more.
  private static String type(Key<?, ?> key) {
    String allowed = key.type().allowed().replaceFirst("^must be ", "").replaceFirst("^an? ", "");
    String name = key.type().name();
    boolean saysMore = name.startsWith("integer") || name.startsWith("duration");
    return cell(
        saysMore || name.endsWith("seconds") || allowed.startsWith("one of") ? allowed : name);
  }

  private static <A, T> String fallback(Key<A, T> key) {
    if (key.required()) {
      return "required";
    }
    String shown = cell(plain(key.type().shown().apply(key.fallback())));
    return shown.isEmpty() ? "" : "`" + shown + "`";
  }

  private static String plain(Object value) {
    return switch (value) {
      case Optional<?> optional ->
          optional.<Object>map(ConfigurationDocument::plain).orElse("null").toString();
      case Secret secret -> secret.reveal();
      case List<?> list ->
          list.stream()
              .map(ConfigurationDocument::plain)
              .collect(Collectors.joining(", ", "[", "]"));
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> entry.getKey() + ": " + plain(entry.getValue()))
              .collect(Collectors.joining(", ", "{", "}"));
      default -> value.toString();
    };
  }

  private static String meaning(KeyDoc doc) {
    String meaning = doc.meaning() + ".";
    if (doc.note().isEmpty()) {
      return cell(meaning);
    }
    return cell(
        doc.honoured()
            ? meaning + " " + upperFirst(doc.note()) + "."
            : meaning + " **No effect**: " + doc.note() + ".");
  }

  private static String upperFirst(String sentence) {
    return sentence.substring(0, 1).toUpperCase(Locale.ROOT) + sentence.substring(1);
  }

  private static String variable(String path) {
    return "TASKBROKER_" + path.toUpperCase(Locale.ROOT).replace(".", "__");
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }
}
