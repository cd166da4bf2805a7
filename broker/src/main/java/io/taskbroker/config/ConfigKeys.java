package io.taskbroker.config;

import java.util.List;

/// Every key of the configuration but the old ones ([OldKeys]), by area (reference-spec 3.2 to
/// 3.5).
final class ConfigKeys {
  /// The areas whose keys are at the top, or in sections of fixed names.
  static final List<KeyTable<BrokerConfig>> AREAS =
      List.of(
          DeliveryKeys.TABLE,
          GrpcKeys.TABLE,
          TlsKeys.TABLE,
          KafkaKeys.TABLE,
          IngestKeys.TABLE,
          StoreKeys.TABLE,
          PostgresKeys.TABLE,
          PushKeys.TABLE,
          ReportKeys.TABLE,
          UpkeepKeys.TABLE,
          TelemetryKeys.TABLE);

  /// The keys of all of them.
  static final List<Key<BrokerConfig, ?>> BROKER =
      AREAS.stream().<Key<BrokerConfig, ?>>flatMap(area -> area.keys().stream()).toList();

  static final String TOPICS = "kafka_topics";
  static final String CLUSTERS = "kafka_clusters";
  static final String RAW_SECTION = "raw";

  private ConfigKeys() {}
}
