package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.seconds;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.integer;

import java.time.Duration;

/// Configuration keys: section `raw` of a topic that holds raw messages instead of activations.
final class RawKeys {
  static final KeyTable<RawConfig> TABLE =
      new KeyTable<>(
          "Raw topics",
          "The section `raw` of a topic that holds raw messages instead of activations");

  static final Key<RawConfig, String> RAW_NAMESPACE =
      TABLE.required(
          "namespace", filledText(), "", "Namespace of the created tasks", RawConfig::namespace);

  static final Key<RawConfig, String> RAW_APPLICATION =
      TABLE.required(
          "application",
          filledText(),
          "",
          "Application of the created tasks; a key of worker_map",
          RawConfig::application);

  static final Key<RawConfig, String> RAW_TASKNAME =
      TABLE.required(
          "taskname", filledText(), "", "Name of the created tasks", RawConfig::taskname);

  static final Key<RawConfig, Duration> RAW_PROCESSING_DEADLINE_DURATION =
      TABLE.required(
          "processing_deadline_duration",
          seconds(0, 65_535),
          Duration.ofSeconds(30),
          "Processing deadline of the created tasks",
          RawConfig::processingDeadline);

  static final Key<RawConfig, Integer> RAW_COMPRESSION_LEVEL =
      TABLE.key(
          "compression_level",
          integer(-131_072, 22),
          3,
          "zstd level; -1 disables compression",
          RawConfig::compressionLevel);

  private RawKeys() {}
}
