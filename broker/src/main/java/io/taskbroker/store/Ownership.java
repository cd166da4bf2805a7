package io.taskbroker.store;

import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore.Tombstone;
import java.util.List;
import java.util.Optional;

/// Which of the brokers that share a store may change the rows of a partition (ADR 7).
///
/// Rows belong to the (topic, partition) of their origin, those that came from no partition to the
/// broker that stored them. Every commit applies only changes of what is the broker's own at that
/// moment; all others are [ActivationStore.Outcome#FENCED] (G3, G4, H10).
///
/// Thread-safe; all methods block, and throw [StoreException]. Pages are those of
/// [ActivationStore#load], of one partition.
public interface Ownership {
  /// Makes the partition this broker's. When it returns, what former owners committed can be read,
  /// and nothing more that they commit is applied.
  ///
  /// @param generation the generation of the consumer group that gave the partition to this broker
  /// @return empty if the partition is now a broker's that got it in a later generation, and whose
  ///   lease has not lapsed (H11)
  Optional<Taken> take(SourcePartition partition, int generation);

  /// Gives the partition up, if it is still this broker's: anybody may take it.
  ///
  /// @param drained whether it is written down what its workers have, so that no worker has what is
  ///   `PENDING`
  void release(SourcePartition partition, boolean drained);

  List<Row> load(SourcePartition partition, long key, int limit);

  List<ParkedRow> loadParked(SourcePartition partition, long key, int limit);

  List<Tombstone> tombstones(SourcePartition partition, long now);

  /// What other brokers were told of rows of the partition, in the order in which they were.
  List<RemoteReport> reports(SourcePartition partition);

  /// Counts as handed out what may run only once and may have been handed out by what the store
  /// lost (G3): all that does not wait for a time after `now`.
  ///
  /// @param now milliseconds since the epoch
  /// @return how many rows that were
  default int countAsHandedOut(SourcePartition partition, long now) {
    return 0;
  }

  /// A partition that was taken.
  ///
  /// @param watermarks how far it was consumed, by every group and incarnation of the topic
  /// @param released whether the former owner gave it up when it was drained
  /// @param reached how far this broker had consumed it when the store went back; told once
  record Taken(List<Watermark> watermarks, boolean released, Optional<Watermark> reached) {
    public Taken {
      watermarks = List.copyOf(watermarks);
    }

    public Taken(List<Watermark> watermarks, boolean released) {
      this(watermarks, released, Optional.empty());
    }
  }
}
