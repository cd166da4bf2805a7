package io.taskbroker.config;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Writes `docs/configuration.md` from the keys: the same text for the same keys.
final class ConfigurationDocument {
  static final String PULL_NAME = "pull";
  static final String PUSH_NAME = "push";

  /// A file that is enough to pull.
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

  /// A file that is enough to push.
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

      Defaults, overlaid by a YAML file (`-c FILE`), overlaid by the environment. Sections are merged key by key, everything else is
      replaced. All errors are told at once, each with the key, the value, what is allowed, and the place; a key that is not known is
      ignored, with a warning that names the nearest known one. The effective configuration is logged at start, secrets hidden.

      | command | what it does |
      |---|---|
      | `taskbroker config check -c FILE` | says `OK`, or all that is wrong; exit code 0 or 1 |
      | `taskbroker config show -c FILE` | writes the effective configuration as YAML, secrets hidden |

      Both see the environment as the broker does; without `-c` there are defaults and the environment only.

      ## The environment

      `TASKBROKER_` and the key, in upper case, with two underscores between the names of sections: `TASKBROKER_STORE__SQLITE__PATH` is
      `store.sqlite.path`. Names are taken in lower case: a topic or cluster whose name has capitals, hyphens or points needs the file.

      | value | is |
      |---|---|
      | `true`, `false` | a boolean |
      | `12`, `-3` | an integer |
      | `0.5` | a number |
      | `[a,b]` | a list |
      | `{k=v,k2=v2}` | a map; keys of letters, digits, `_` and `-`, or quoted |
      | `"12"` | text that would be something else without the quotes |
      | all else | text |

      A `duration` is text such as `250ms` or `1s`, without space, point or other unit. A type with a question mark may be `null`. Numbers
      that are too large for what they count are taken for the largest that is not.

      ## Examples
      """;

  private static final String NO_EFFECT =
      """

      ## Keys

      Every key of the reference is read and checked. Some mean something only to a broker that polls its database: those are marked
      **No effect**, and say why.
      """;

  private static final String RULES =
      """

      ### Rules for topics and clusters

      - `kafka_topics` and `kafka_clusters` come together, and neither is empty; none of the old keys below may be given beside them.
      - The `cluster` of each topic is one of `kafka_clusters`. One topic at least is not `produce_only`.
      - `kafka_deadletter_topic` is declared, and is not consumed where old keys declare it.
      - `kafka_retry_topic` is by default the consumed topic, if there is one only and no topic is raw; else it must be given. It is
        declared, is neither the dead-letter topic nor raw, and is on a cluster of the same `address` as the dead-letter topic.
      - The `application` of a raw topic is a key of `worker_map`.
      - A `security_protocol` of SASL needs `sasl_mechanism`, `sasl_username` and `sasl_password`; `ssl_certificate_location` and
        `ssl_key_location` come together.

      ## The length of a lease

      A task that is claimed for a push is taken back if nothing was heard of the call for

      `fetch.batch_length` × `push.queue.timeout` + rounds × `push.timeout` + updates, where rounds = ⌈`push.queue.size` ÷ `push.threads`⌉ + 1,
      and updates = rounds × 1 s, or with `push.update.batched` (`push.update.batch.length` + 1) × 1 s + `push.update.batch.interval`.

      That is LEASE by default.

      ## Old keys

      Files with the flat keys of former versions load unchanged.

      ### One topic

      Without `kafka_topics` and `kafka_clusters` these keys describe one consumed topic, and `kafka_deadletter_topic` on the same cluster
      unless another is given. Credentials of one are not those of the other.

      """;

  private static final String MOVED =
      """

      ### Keys that moved

      The old key counts where the new one is not given, in the file or the environment.

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
    example("Workers pull", PULL);
    example("Workers are called", PUSH);
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
                  moved.millis() ? ", as a duration of that many milliseconds" : ""));
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

  /// The name of the type, and what is allowed where that says more.
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
