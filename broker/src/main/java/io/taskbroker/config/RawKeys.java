package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.seconds;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.integer;

import java.time.Duration;

/// The keys of an area: The section `raw` of a topic, whose messages are no activations.
final class RawKeys {
  static final KeyTable<RawConfig> TABLE =
      new KeyTable<>(
          "Raw topics", "The section `raw` of a topic, whose messages are no activations");

  static final Key<RawConfig, String> RAW_NAMESPACE =
      TABLE.required(
          "namespace",
          filledText(),
          "",
          "The namespace of the tasks that are made",
          RawConfig::namespace);

  static final Key<RawConfig, String> RAW_APPLICATION =
      TABLE.required(
          "application",
          filledText(),
          "",
          "The application of the tasks that are made; a key of worker_map",
          RawConfig::application);

  static final Key<RawConfig, String> RAW_TASKNAME =
      TABLE.required(
          "taskname", filledText(), "", "The name of the tasks that are made", RawConfig::taskname);

  static final Key<RawConfig, Duration> RAW_PROCESSING_DEADLINE_DURATION =
      TABLE.required(
          "processing_deadline_duration",
          seconds(0, 65_535),
          Duration.ofSeconds(30),
          "How long a worker may take",
          RawConfig::processingDeadline);

  static final Key<RawConfig, Integer> RAW_COMPRESSION_LEVEL =
      TABLE.key(
          "compression_level",
          integer(-131_072, 22),
          3,
          "The level of zstd; -1 for no compression",
          RawConfig::compressionLevel);

  private RawKeys() {}
}
