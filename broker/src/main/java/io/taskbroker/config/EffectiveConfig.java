package io.taskbroker.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;

/// Renders a configuration as the equivalent YAML, with secrets hidden.
final class EffectiveConfig {
  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER)
          .disable(YAMLWriteFeature.SPLIT_LINES)
          .build();

  private static final Object NULL = JsonNodeFactory.instance.nullNode();

  private EffectiveConfig() {}

  static String yaml(BrokerConfig config) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    write(ConfigKeys.BROKER, config, root);
    ObjectNode clusters = root.putObject(ConfigKeys.CLUSTERS);
    config
        .kafka()
        .clusters()
        .forEach(
            (name, cluster) -> write(ClusterKeys.TABLE.keys(), cluster, clusters.putObject(name)));
    ObjectNode topics = root.putObject(ConfigKeys.TOPICS);
    config
        .kafka()
        .topics()
        .forEach((name, topic) -> {
          ObjectNode node = topics.putObject(name);
          write(TopicKeys.TABLE.keys(), topic, node);
          topic
              .raw()
              .ifPresent(
                  raw -> write(RawKeys.TABLE.keys(), raw, node.putObject(ConfigKeys.RAW_SECTION)));
        });
    return YAML.writeValueAsString(root);
  }

  private static <A> void write(List<Key<A, ?>> keys, A area, ObjectNode into) {
    for (Key<A, ?> key : keys) {
      String[] steps = key.steps();
      ObjectNode section = into;
      for (int i = 0; i < steps.length - 1; i++) {
        section = section.withObjectProperty(steps[i]);
      }
      section.putPOJO(steps[steps.length - 1], plain(key.shownIn(area)));
    }
  }

  /// Value for the YAML writer: null for an empty Optional, `******` for a secret.
  private static Object plain(Object value) {
    return switch (value) {
      case Optional<?> optional -> optional.<Object>map(EffectiveConfig::plain).orElse(NULL);
      case Secret secret -> secret.toString();
      case List<?> list -> list.stream().map(EffectiveConfig::plain).toList();
      case Map<?, ?> map -> {
        var plain = new LinkedHashMap<Object, Object>();
        map.forEach((k, v) -> plain.put(k, plain(v)));
        yield plain;
      }
      default -> value;
    };
  }
}
