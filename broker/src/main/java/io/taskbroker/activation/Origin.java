package io.taskbroker.activation;

/// Kafka record that an activation was published in.
///
/// @param partition negative if it was not published in Kafka
/// @param offset if [#enqueued] made it: for how long the id is remembered after the end,
///   milliseconds
public record Origin(String topic, int partition, long offset) {
  /// Origin of an activation that a client enqueued directly.
  ///
  /// @param remembered for how long its id is remembered after its end, milliseconds; 0 if it is
  ///   not
  public static Origin enqueued(long remembered) {
    return new Origin("", -1, remembered);
  }

  boolean isEnqueued() {
    return partition < 0 && topic.isEmpty() && offset >= 0;
  }
}
