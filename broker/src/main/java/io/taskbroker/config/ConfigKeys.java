package io.taskbroker.config;

import java.util.List;

/// All configuration keys except the old ones ([OldKeys]), by area (reference-spec 3.2 to 3.5).
final class ConfigKeys {
  /// Areas whose keys are top-level or in sections with fixed names.
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
          TelemetryKeys.TABLE,
          AdminKeys.TABLE,
          TaskStepKeys.TABLE);

  /// Keys of all those areas.
  static final List<Key<BrokerConfig, ?>> BROKER =
      AREAS.stream().<Key<BrokerConfig, ?>>flatMap(area -> area.keys().stream()).toList();

  static final String TOPICS = "kafka_topics";
  static final String CLUSTERS = "kafka_clusters";
  static final String RAW_SECTION = "raw";

  private ConfigKeys() {}
}
