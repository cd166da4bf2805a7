package io.taskbroker.inflight.api;

import java.util.List;

/// Answer to a [QuarantineRequest]. Immutable.
///
/// @param held number of matching activations
/// @param done number of them that were acted on
/// @param left number of them that remain for a repeated request
/// @param forwarding number of other activations that wait for Kafka
/// @param tasks the listed activations, in the order of their refusal
public record QuarantineAnswer(int held, int done, int left, int forwarding, List<Task> tasks) {
  public QuarantineAnswer {
    tasks = List.copyOf(tasks);
  }

  /// Activation that cannot be produced.
  ///
  /// @param status `Failure` of a dead letter, `Retry` of a retry
  /// @param topic its destination
  /// @param cluster the bootstrap servers of the cluster; empty for the one that the topic is
  ///   configured to be on
  /// @param reason why it could not be produced, in one line
  /// @param size bytes of the payload to produce
  /// @param since when this process first learned of the refusal, milliseconds since the epoch
  /// @param receivedAt when it was published, milliseconds since the epoch
  public record Task(
      String id,
      String application,
      String namespace,
      String taskname,
      String status,
      String topic,
      String cluster,
      String reason,
      int size,
      long since,
      long receivedAt) {}
}
