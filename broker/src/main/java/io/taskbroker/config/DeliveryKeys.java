package io.taskbroker.config;

import static io.taskbroker.config.AddressTypes.url;
import static io.taskbroker.config.KeyType.map;
import static io.taskbroker.config.KeyType.oneOf;

import java.net.URI;
import java.util.Map;

/// Configuration keys: delivery of tasks to workers.
final class DeliveryKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Delivery", "Delivery of tasks to workers");

  static final Key<BrokerConfig, DeliveryMode> DELIVERY_MODE =
      TABLE.key(
          "delivery_mode",
          oneOf(DeliveryMode.class),
          DeliveryMode.PULL,
          "Whether workers fetch tasks (pull) or are called (push)",
          BrokerConfig::deliveryMode);

  static final Key<BrokerConfig, Map<String, URI>> WORKER_MAP =
      TABLE.key(
          "worker_map",
          map(url()),
          Map.of("sentry", URI.create("http://127.0.0.1:50052")),
          "Worker URL of each application, in push mode",
          BrokerConfig::workerMap);

  private DeliveryKeys() {}
}
