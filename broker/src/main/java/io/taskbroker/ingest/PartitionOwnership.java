package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// What becomes of the rows of a partition when the group gives it to this broker or takes it away,
/// where several brokers share a store. Called by the readers' threads, which it may block for as
/// long as a database takes to answer.
public interface PartitionOwnership {
  /// That of a broker which has its store to itself: it has all rows from its start, whoever reads
  /// their partitions.
  ///
  /// @param watermarks what is stored of how far partitions were consumed
  /// @param lows as in [#startOffsets]
  static PartitionOwnership sole(
      List<Watermark> watermarks, Supplier<Map<SourcePartition, Long>> lows) {
    return new PartitionOwnership() {
      @Override
      public boolean moves() {
        return false;
      }

      @Override
      public List<Watermark> watermarks() {
        return watermarks;
      }

      @Override
      public Map<SourcePartition, Long> lows() {
        return lows.get();
      }

      @Override
      public Optional<List<Watermark>> take(SourcePartition partition, int generation) {
        return Optional.of(List.of());
      }

      @Override
      public void release(SourcePartition partition, boolean drained) {}
    };
  }

  /// Whether rows move with their partitions, which had better stay where they are in a rebalance.
  boolean moves();

  /// How far partitions were consumed that are this broker's from the start. Asked once.
  List<Watermark> watermarks();

  /// From which offset on records of each partition may be in flight, as far as is known: where to
  /// begin if the store is lost. Does not block.
  Map<SourcePartition, Long> lows();

  /// Makes the partition this broker's, and hands what is in flight of it to the engine.
  ///
  /// @param generation the generation of the group that gave it
  /// @return how far it was consumed, if that is told only now; empty if a broker has it that got
  ///   it in a later generation, so that it is about to be taken away from this one (H11)
  /// @throws Unavailable if that cannot be done now
  Optional<List<Watermark>> take(SourcePartition partition, int generation);

  /// Lets others have the partition, if it is still this broker's.
  ///
  /// @param drained whether the engine has nothing of it any more
  /// @throws Unavailable if that cannot be done now: whoever takes it does not need it
  void release(SourcePartition partition, boolean drained);

  /// The store does not answer; it may later.
  final class Unavailable extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unavailable(String message) {
      super(message);
    }

    public Unavailable(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
