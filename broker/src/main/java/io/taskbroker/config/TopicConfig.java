package io.taskbroker.config;

import java.time.Duration;
import java.util.Optional;

/// Topic.
///
/// @param cluster name of its cluster
/// @param produceOnly whether it is only produced to
/// @param consumerDisabled whether the broker currently stays out of its consumer group
/// @param raw task that wraps its messages, if they are not activations
public record TopicConfig(
    String name,
    String cluster,
    String consumerGroup,
    boolean produceOnly,
    boolean consumerDisabled,
    Consumption consumption,
    Optional<RawConfig> raw) {

  /// Consumer settings of a topic.
  public record Consumption(
      Duration sessionTimeout, Duration autoCommitInterval, OffsetReset autoOffsetReset) {}
}
