package io.taskbroker.config;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/// Six-line summary of a configuration for the log at start: each line is bounded and free of
/// secrets. Values are those of `config show`; changed keys are listed by name only.
final class ConfigSummary {
  private static final int MAX_NAMES = 20;

  private ConfigSummary() {}

  static List<String> lines(BrokerConfig config) {
    return List.of(
        "delivery: " + delivery(config),
        "store: " + store(config.store()),
        "clusters: " + clusters(config.kafka()),
        "consumes: " + consumed(config.kafka()),
        "produces: " + produced(config.kafka()),
        "changed from defaults: " + changed(config));
  }

  private static String delivery(BrokerConfig config) {
    GrpcConfig grpc = config.grpc();
    String how =
        config.deliveryMode() == DeliveryMode.PUSH
            ? "push to " + names(config.workerMap().keySet())
            : "pull";
    String where =
        grpc.port() == 0
            ? "no gRPC server"
            : "gRPC at %s:%d".formatted(grpc.address().getHostAddress(), grpc.port());
    int keys = grpc.sharedSecrets().size();
    return "%s; %s, %s".formatted(how, where, keys == 0 ? "not signed" : keys + " keys");
  }

  private static String store(StoreConfig store) {
    StoreConfig.Postgres postgres = store.postgres();
    return store.adapter() == StoreConfig.Adapter.SQLITE
        ? "SQLite at " + store.sqlite().path()
        : "Postgres at %s:%d, database %s"
            .formatted(postgres.address().host(), postgres.address().port(), postgres.database());
  }

  private static String produced(KafkaConfig kafka) {
    return kafka.isEnabled()
        ? "retries to %s, dead letters to %s".formatted(kafka.retryTopic(), kafka.deadletterTopic())
        : "nothing";
  }

  private static String clusters(KafkaConfig kafka) {
    return names(
        kafka.clusters().values().stream()
            .map(cluster -> cluster.name() + " (" + cluster.address() + ")")
            .toList());
  }

  private static String consumed(KafkaConfig kafka) {
    return names(
        kafka.topics().values().stream()
            .filter(topic -> !topic.produceOnly() && !topic.consumerDisabled())
            .map(topic ->
                topic.name() + " of " + topic.cluster() + " as group " + topic.consumerGroup())
            .toList());
  }

  private static String changed(BrokerConfig config) {
    return names(
        ConfigKeys.BROKER.stream()
            .filter(key -> isChanged(key, config))
            .map(key -> key.path())
            .toList());
  }

  private static <T> boolean isChanged(Key<BrokerConfig, T> key, BrokerConfig config) {
    return !Objects.equals(key.shownIn(config), key.type().shown().apply(key.fallback()));
  }

  private static String names(Collection<String> all) {
    if (all.isEmpty()) {
      return "nothing";
    }
    String first = all.stream().limit(MAX_NAMES).collect(Collectors.joining(", "));
    return all.size() > MAX_NAMES ? first + " and " + (all.size() - MAX_NAMES) + " more" : first;
  }
}
