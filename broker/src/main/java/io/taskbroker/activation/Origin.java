package io.taskbroker.activation;

/// Kafka record that an activation was published in.
///
/// @param partition negative if it was not published in Kafka
/// @param offset if [#enqueued] made it: for how long the id is remembered after the end,
///   milliseconds
public record Origin(String topic, int partition, long offset) {
  /// Milliseconds above whole seconds in the offset of an enqueued task whose record is kept.
  private static final long KEPT = 1;

  /// Origin of an activation that a client enqueued directly.
  ///
  /// @param remembered for how long its id is remembered after its end, in milliseconds that are
  ///   whole seconds; 0 if it is not
  public static Origin enqueued(long remembered) {
    return new Origin("", -1, remembered);
  }

  /// The same origin of a task whose client asked to keep its record and result for as long.
  public Origin keepingResult() {
    return new Origin(topic, partition, offset + KEPT);
  }

  /// Whether the client that enqueued the task asked to keep its record and result.
  public boolean keepsResult() {
    return isEnqueued() && offset % 1_000 == KEPT;
  }

  boolean isEnqueued() {
    return partition < 0 && topic.isEmpty() && offset >= 0;
  }
}
