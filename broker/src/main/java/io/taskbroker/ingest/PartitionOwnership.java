package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What becomes of the rows of a partition when the group gives it to this broker or takes it away,
/// where several brokers share a store. Called by the readers' threads, which it may block for as
/// long as a database takes to answer.
public interface PartitionOwnership {
  /// That of a broker which has its store to itself: it has all rows from its start, whoever reads
  /// their partitions.
  ///
  /// @param watermarks what is stored of how far partitions were consumed
  /// @param lows as in [#lows]
  static PartitionOwnership sole(
      List<Watermark> watermarks, Supplier<Map<SourcePartition, Long>> lows) {
    return sole(watermarks, lows, () -> StorePosition.NONE, () -> StorePosition.NONE);
  }

  /// The same of a store whose history is watched.
  ///
  /// @param position as in [#position]
  /// @param handedOut as in [#handedOut]
  static PartitionOwnership sole(
      List<Watermark> watermarks,
      Supplier<Map<SourcePartition, Long>> lows,
      Supplier<StorePosition> position,
      Supplier<StorePosition> handedOut) {
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
      public StorePosition position() {
        return position.get();
      }

      @Override
      public StorePosition handedOut() {
        return handedOut.get();
      }

      @Override
      public Optional<Taken> take(
          SourcePartition partition, int generation, @Nullable Noted noted) {
        return Optional.of(new Taken(List.of(), Watermark.NONE));
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

  /// Where the store is in its history: its last durable transaction. Does not block.
  StorePosition position();

  /// The last transaction of this run that hands out something that may run only once: Kafka is
  /// told of one behind it even if there is no offset to commit. Does not block.
  StorePosition handedOut();

  /// Makes the partition this broker's, and hands what is in flight of it to the engine.
  ///
  /// @param generation the generation of the group that gave it
  /// @param noted what a broker of this store noted with the committed offset; null if none did
  /// @return empty if a broker has it that got it in a later generation, so that it is about to be
  ///   taken away from this one (H11)
  /// @throws Unavailable if that cannot be done now
  Optional<Taken> take(SourcePartition partition, int generation, @Nullable Noted noted);

  /// What a broker of a store noted with an offset that it committed.
  ///
  /// @param position a transaction that the store had then
  record Noted(long committed, StorePosition position) {}

  /// A partition that is this broker's now.
  ///
  /// @param watermarks how far it was consumed, if that is told only now
  /// @param reached how far it had been consumed when the store went back; [Watermark#NONE] if it
  ///   did not, as far as the store knows
  record Taken(List<Watermark> watermarks, long reached) {
    public Taken {
      watermarks = List.copyOf(watermarks);
    }
  }

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
