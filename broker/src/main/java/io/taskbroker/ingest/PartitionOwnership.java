package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Ownership of partitions in a store that brokers share: it moves the rows of a partition when the
/// group assigns or revokes it. Called by the readers' threads; it may block for as long as a
/// database takes to answer.
public interface PartitionOwnership {
  /// Ownership in a store that one broker has to itself. It has all rows from its start, whichever
  /// broker reads their partitions.
  ///
  /// @param watermarks stored watermarks of partitions
  /// @param startOffsets as in [#lows]
  static PartitionOwnership sole(
      List<Watermark> watermarks, Supplier<Map<SourcePartition, Long>> startOffsets) {
    return sole(watermarks, startOffsets, () -> StorePosition.NONE, () -> StorePosition.NONE);
  }

  /// The same for a store whose history is checked.
  ///
  /// @param position as in [#position]
  /// @param handedOut as in [#handedOut]
  static PartitionOwnership sole(
      List<Watermark> watermarks,
      Supplier<Map<SourcePartition, Long>> startOffsets,
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
        return startOffsets.get();
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

  /// Whether rows move with their partitions, so that a rebalance should move few of them.
  boolean moves();

  /// Watermarks of the partitions that this broker owns from the start. Called once.
  List<Watermark> watermarks();

  /// Start offset of each partition, as far as is known: records from it on may be in flight, and
  /// reading begins there if the store is lost. Does not block.
  Map<SourcePartition, Long> lows();

  /// Position of the store in its history: its last durable transaction. Does not block.
  StorePosition position();

  /// The last transaction of this process that delivers an at-most-once task. Kafka receives a
  /// position at or after it even if there is no offset to commit. Does not block.
  StorePosition handedOut();

  /// Acquires the partition for this broker, and passes its rows in flight to the engine.
  ///
  /// @param generation the generation of the group that assigned it
  /// @param noted committed offset and metadata of a broker of this store; null if there is none
  /// @return empty if another broker acquired it in a later generation, so that the group is about
  ///   to revoke it from this one (H11)
  /// @throws Interrupted if the engine has rows of the partition that count no longer
  /// @throws Unavailable if that is impossible now
  Optional<Taken> take(SourcePartition partition, int generation, @Nullable Noted noted);

  /// Committed offset, and the store position from its metadata.
  ///
  /// @param position a transaction that the store had at that commit
  record Noted(long committed, StorePosition position) {}

  /// Partition that this broker owns now.
  ///
  /// @param watermarks its watermarks, if they become known only now
  /// @param reached how far it had been consumed when the store went back; [Watermark#NONE] if it
  ///   did not, as far as the store knows
  record Taken(List<Watermark> watermarks, long reached) {
    public Taken {
      watermarks = List.copyOf(watermarks);
    }
  }

  /// Releases the partition, if this broker still owns it.
  ///
  /// @param drained whether the engine has nothing of it any more
  /// @throws Unavailable if that is impossible now; the next owner does not depend on this release
  void release(SourcePartition partition, boolean drained);

  /// Releases each of the partitions.
  ///
  /// @throws Unavailable if that is impossible for one of them; the others are released
  default void releaseAll(Collection<SourcePartition> partitions, boolean drained) {
    Unavailable failure = null;
    for (SourcePartition partition : partitions) {
      try {
        release(partition, drained);
      } catch (Unavailable e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /// Failure of the store to answer; it may answer later.
  class Unavailable extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unavailable(String message) {
      super(message);
    }

    public Unavailable(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /// The store does not know that this broker has the partition, whose rows it loaded: another one
  /// had it since, or the store went back. The engine must drop them before it is acquired again.
  final class Interrupted extends Unavailable {
    private static final long serialVersionUID = 1;

    private final transient SourcePartition partition;

    public Interrupted(SourcePartition partition) {
      super(partition.topic() + "-" + partition.partition() + " was not this broker's for a while");
      this.partition = partition;
    }

    SourcePartition partition() {
      return partition;
    }
  }
}
