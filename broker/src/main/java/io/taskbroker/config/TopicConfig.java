package io.taskbroker.config;

import java.time.Duration;
import java.util.Optional;

/// A topic.
///
/// @param cluster the name of its cluster
/// @param produceOnly whether it is only written to
/// @param consumerDisabled whether the broker stays out of its consumer group for now
/// @param raw what its messages become, if they are not activations
public record TopicConfig(
    String name,
    String cluster,
    String consumerGroup,
    boolean produceOnly,
    boolean consumerDisabled,
    Consumption consumption,
    Optional<RawConfig> raw) {

  /// How a topic is consumed.
  public record Consumption(
      Duration sessionTimeout, Duration autoCommitInterval, OffsetReset autoOffsetReset) {}
}
