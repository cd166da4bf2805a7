package io.taskbroker.inflight;

import java.util.List;

/// The answer to a [QuarantineRequest]. Immutable.
///
/// @param held how many there were of those that the order is about
/// @param done how many of them were acted on
/// @param left how many of them can still be acted on, by giving the order again
/// @param leaving how many activations wait for Kafka, apart from those
/// @param tasks those that are listed, in the order in which they came
public record QuarantineAnswer(int held, int done, int left, int leaving, List<Task> tasks) {
  public QuarantineAnswer {
    tasks = List.copyOf(tasks);
  }

  /// An activation that cannot be produced.
  ///
  /// @param status `Failure` of a dead letter, `Retry` of a retry
  /// @param topic where it is for
  /// @param cluster the bootstrap servers of the cluster; empty for the one that the topic is
  ///   configured to be on
  /// @param reason why it could not be produced, in one line
  /// @param size bytes of what is to be produced
  /// @param since when this process was first told so, milliseconds since the epoch
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
