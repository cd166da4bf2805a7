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
/// @param startOffsets start offset of each partition, as far as is known
/// @param position current position of the store in its history
/// @param handedOut as in [PartitionOwnership#handedOut]
record OffsetMetadataFormat(
    String store,
    boolean shared,
    Supplier<Map<SourcePartition, Long>> startOffsets,
    Supplier<StorePosition> position,
    Supplier<StorePosition> handedOut) {

  static OffsetMetadataFormat of(String store, PartitionOwnership ownership) {
    return new OffsetMetadataFormat(
        store, ownership.moves(), ownership::lows, ownership::position, ownership::handedOut);
  }

  /// Start offset for an offset: the first one below it at which records may be in flight.
  ///
  /// @param startOffset start offset known otherwise
  long startOffset(SourcePartition partition, long offset, long startOffset) {
    long known = startOffsets.get().getOrDefault(partition, Watermark.NONE);
    return Math.min(offset, Math.max(known, startOffset));
  }

  /// Offset to commit, below which the store has everything.
  ///
  /// @param startOffset start offset
  /// @param at position of the store in its history
  /// @param last a record below the offset that was read; null if none is known
  OffsetAndMetadata commit(
      SourcePartition partition,
      long offset,
      long startOffset,
      StorePosition at,
      @Nullable RecordIdentity last) {
    Optional<Integer> epoch =
        last == null || last.leaderEpoch() < 0 ? Optional.empty() : Optional.of(last.leaderEpoch());
    var metadata = new OffsetMetadata(store, partition.topicId(), at, last, startOffset);
    return new OffsetAndMetadata(offset, epoch, metadata.text());
  }

  /// Metadata that this store wrote for exactly this topic; null if another wrote it, or none
  /// exists.
  @Nullable OffsetMetadata own(OffsetAndMetadata committed, String topicId) {
    return OffsetMetadata.of(committed.metadata())
        .filter(metadata -> isOwn(metadata) && metadata.topicId().equals(topicId))
        .orElse(null);
  }

  boolean isOwn(OffsetMetadata metadata) {
    return shared
        ? withoutMemberSlot(metadata.store()).equals(withoutMemberSlot(store))
        : metadata.store().equals(store);
  }

  private static String withoutMemberSlot(String name) {
    int dash = name.lastIndexOf('-');
    return dash < 0 ? name : name.substring(0, dash);
  }

  /// Identity of the record below a committed offset, whichever client committed it; null if
  /// unknown.
  static @Nullable RecordIdentity last(OffsetAndMetadata committed) {
    RecordIdentity known =
        OffsetMetadata.of(committed.metadata()).map(OffsetMetadata::last).orElse(null);
    return known != null || committed.leaderEpoch().isEmpty()
        ? known
        : new RecordIdentity(
            committed.offset() - 1, committed.leaderEpoch().get(), LogProbe.NO_TIMESTAMP);
  }

  /// Whether the offset belongs to a deleted topic of the same name.
  static boolean isOfAnotherTopic(OffsetAndMetadata committed, String topicId) {
    return OffsetMetadata.of(committed.metadata())
        .filter(metadata -> !metadata.topicId().equals(topicId))
        .isPresent();
  }
}
