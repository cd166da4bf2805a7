package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/// Writer and reader of the [OffsetMetadata] of one store.
///
/// @param store name of the store
/// @param shared whether brokers share it: then its name ends with the number of the broker's
///   member slot, and the metadata of the other brokers counts as its own
/// @param lows start offset of each partition, as far as is known
/// @param position current position of the store in its history
/// @param handedOut as in [PartitionOwnership#handedOut]
record OffsetMetadataFormat(
    String store,
    boolean shared,
    Supplier<Map<SourcePartition, Long>> lows,
    Supplier<StorePosition> position,
    Supplier<StorePosition> handedOut) {

  static OffsetMetadataFormat of(String store, PartitionOwnership custody) {
    return new OffsetMetadataFormat(
        store, custody.moves(), custody::lows, custody::position, custody::handedOut);
  }

  /// Start offset for an offset: the first one below it at which records may be in flight.
  ///
  /// @param low start offset known otherwise
  long low(SourcePartition partition, long offset, long low) {
    long known = lows.get().getOrDefault(partition, Watermark.NONE);
    return Math.min(offset, Math.max(known, low));
  }

  /// Offset to commit, below which the store has everything.
  ///
  /// @param low start offset
  /// @param at position of the store in its history
  /// @param last a record below the offset that was read; null if none is known
  OffsetAndMetadata commit(
      SourcePartition partition,
      long offset,
      long low,
      StorePosition at,
      @Nullable RecordIdentity last) {
    Optional<Integer> epoch =
        last == null || last.leaderEpoch() < 0 ? Optional.empty() : Optional.of(last.leaderEpoch());
    var note = new OffsetMetadata(store, partition.topicId(), at, last, low);
    return new OffsetAndMetadata(offset, epoch, note.text());
  }

  /// Metadata that this store wrote for exactly this topic; null if another wrote it, or none
  /// exists.
  @Nullable OffsetMetadata own(OffsetAndMetadata committed, String topicId) {
    return OffsetMetadata.of(committed.metadata())
        .filter(note -> isOwn(note) && note.topicId().equals(topicId))
        .orElse(null);
  }

  boolean isOwn(OffsetMetadata note) {
    return shared
        ? withoutSeat(note.store()).equals(withoutSeat(store))
        : note.store().equals(store);
  }

  private static String withoutSeat(String name) {
    int dash = name.lastIndexOf('-');
    return dash < 0 ? name : name.substring(0, dash);
  }

  /// Identity of the record below a committed offset, whichever client committed it; null if
  /// unknown.
  static @Nullable RecordIdentity last(OffsetAndMetadata committed) {
    RecordIdentity noted =
        OffsetMetadata.of(committed.metadata()).map(OffsetMetadata::last).orElse(null);
    return noted != null || committed.leaderEpoch().isEmpty()
        ? noted
        : new RecordIdentity(
            committed.offset() - 1, committed.leaderEpoch().get(), LogProbe.NO_TIMESTAMP);
  }

  /// Whether the offset belongs to a deleted topic of the same name.
  static boolean isOfAnother(OffsetAndMetadata committed, String topicId) {
    return OffsetMetadata.of(committed.metadata())
        .filter(note -> !note.topicId().equals(topicId))
        .isPresent();
  }
}
