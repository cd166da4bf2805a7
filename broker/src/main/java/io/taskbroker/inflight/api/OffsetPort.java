package io.taskbroker.inflight.api;

import io.taskbroker.activation.SourcePartition;
import org.jspecify.annotations.Nullable;

/// Port to the readers of Kafka: the state of their partitions. Called by the engine's thread; no
/// method blocks or calls the engine back before the engine returns.
public interface OffsetPort {
  /// Everything of the partition below `nextOffset` is durable: the offset may be committed.
  ///
  /// @param records how many of the records given by [Command.Ingest] this settles
  /// @param bytes their size
  /// @param urgent whether a task waits for the commit
  void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent);

  /// The next record of the partition waits for room for its application. The reader looks for
  /// records of other applications in Kafka behind those that it submitted, and reports one by
  /// [Command.LookaheadFound].
  ///
  /// @param application null if no record waits any more
  default void waitsForRoom(SourcePartition partition, @Nullable String application) {}

  /// Nothing of the revoked partition is pending any more.
  void drained(SourcePartition partition);

  /// The store assigned the partition to another broker (H10): nothing more of it is consumed, and
  /// its offsets must not be committed.
  void lost(SourcePartition partition);
}
