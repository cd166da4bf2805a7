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

/// The [OffsetMetadata]s that one store leaves, and finds again.
///
/// @param store its name
/// @param shared whether brokers share it: then its name ends with the number of the broker's seat,
///   and the notes of the others are its own as well
/// @param lows from which offset on records of each partition may be in flight, as far as is known
/// @param position where the store is in its history
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

  /// From where on records may be in flight that are below an offset.
  ///
  /// @param low what is known of that otherwise
  long low(SourcePartition partition, long offset, long low) {
    long known = lows.get().getOrDefault(partition, Watermark.NONE);
    return Math.min(offset, Math.max(known, low));
  }

  /// An offset to commit, below which the store has everything.
  ///
  /// @param low from where on records may be in flight
  /// @param at where the store is in its history
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

  /// The note that this store left for exactly this topic; null if another left it, or nobody.
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

  /// What is known of the record below a committed offset, whoever committed it; null if nothing
  /// is.
  static @Nullable RecordIdentity last(OffsetAndMetadata committed) {
    RecordIdentity noted =
        OffsetMetadata.of(committed.metadata()).map(OffsetMetadata::last).orElse(null);
    return noted != null || committed.leaderEpoch().isEmpty()
        ? noted
        : new RecordIdentity(
            committed.offset() - 1, committed.leaderEpoch().get(), LogProbe.NO_TIMESTAMP);
  }

  /// Whether the offset is one of a topic of the same name that is no more.
  static boolean isOfAnother(OffsetAndMetadata committed, String topicId) {
    return OffsetMetadata.of(committed.metadata())
        .filter(note -> !note.topicId().equals(topicId))
        .isPresent();
  }
}
