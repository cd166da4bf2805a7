package io.taskbroker.store;

import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore.Tombstone;
import java.util.List;
import java.util.Optional;

/// Partition ownership: which of the brokers that share a store may change the rows of a partition
/// (ADR 7).
///
/// A row belongs to the (topic, partition) of its origin; a row without a partition belongs to the
/// broker that stored it. A commit applies only changes to what the broker owns at that moment; the
/// others are [ChangeOutcome#FENCED] (G3, G4, H10).
///
/// Thread-safe; all methods block and throw [StoreException]. Pages are those of
/// [ActivationStore#load], limited to one partition.
public interface Ownership {
  /// Takes ownership of the partition. Once this returns, everything that former owners committed
  /// is visible, and nothing more of theirs is applied.
  ///
  /// @param generation consumer-group generation that assigned the partition to this broker
  /// @return empty if the partition belongs to a broker that got it in a later generation and whose
  ///   lease has not lapsed (H11)
  Optional<Taken> take(SourcePartition partition, int generation);

  /// Releases the partition if this broker still owns it; any broker may then take it.
  ///
  /// @param drained whether all deliveries are recorded, so that no worker has a `PENDING` task
  void release(SourcePartition partition, boolean drained);

  List<Row> load(SourcePartition partition, long key, int limit);

  List<ParkedRow> loadParked(SourcePartition partition, long key, int limit);

  /// The newest tombstones, an eighth of [Ids#MOST_REMEMBERED] at most: those of all partitions of a
  /// broker share that number.
  List<Tombstone> tombstones(SourcePartition partition, long now);

  /// Reports that other brokers stored for rows of the partition, in order of arrival.
  List<RemoteReport> reports(SourcePartition partition);

  /// Marks at-most-once tasks as delivered if transactions that the store lost may have delivered
  /// them (G3): all that are not delayed beyond `now`.
  ///
  /// @param now milliseconds since the epoch
  /// @return the number of rows marked
  default int countAsHandedOut(SourcePartition partition, long now) {
    return 0;
  }

  /// State of a partition that was taken.
  ///
  /// @param watermarks of every consumer group and incarnation of the topic
  /// @param released whether the former owner released it drained
  /// @param reached how far this broker had consumed it before the store went back; reported once
  /// @param alreadyOwned whether this broker owned it before, as far as the store knows
  record Taken(
      List<Watermark> watermarks,
      boolean released,
      Optional<Watermark> reached,
      boolean alreadyOwned) {
    public Taken {
      watermarks = List.copyOf(watermarks);
    }

    public Taken(List<Watermark> watermarks, boolean released) {
      this(watermarks, released, Optional.empty(), false);
    }
  }
}
