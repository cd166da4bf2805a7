package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;

/// Owner key of rows in a shared store: a partition of a topic, which one broker has at a time (ADR
/// 7).
///
/// @param partition negative for rows without a partition, which stay with their broker
record PartitionKey(String topic, int partition) {
  /// The key of all rows without a partition.
  static final PartitionKey NO_PARTITION = new PartitionKey("", -1);

  static PartitionKey of(Origin origin) {
    return origin.partition() < 0
        ? NO_PARTITION
        : new PartitionKey(origin.topic(), origin.partition());
  }

  static PartitionKey of(SourcePartition partition) {
    return partition.partition() < 0
        ? NO_PARTITION
        : new PartitionKey(partition.topic(), partition.partition());
  }

  static PartitionKey of(Change change) {
    return switch (change) {
      case Change.OfRow row -> of(row.origin());
      case Change.OfPartition about -> of(about.partition());
    };
  }

  /// The origin of a row of which only the partition is known.
  Origin origin() {
    return new Origin(topic, partition, -1);
  }

  boolean has(InFlightTask task) {
    Origin origin = task.activation.origin();
    return partition < 0
        ? origin.partition() < 0
        : origin.partition() == partition && origin.topic().equals(topic);
  }
}
