package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/// The [OffsetMetadata]s that one store leaves, and finds again.
///
/// @param store its name
/// @param lows from which offset on records of each partition may be in flight, as far as is known
record OffsetMetadataFormat(String store, Supplier<Map<SourcePartition, Long>> lows) {

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
  OffsetAndMetadata commit(SourcePartition partition, long offset, long low) {
    return new OffsetAndMetadata(
        offset, new OffsetMetadata(store, partition.topicId(), low).text());
  }

  /// The note that this store left for exactly this topic; null if another left it, or nobody.
  @Nullable OffsetMetadata own(OffsetAndMetadata committed, String topicId) {
    return OffsetMetadata.of(committed.metadata())
        .filter(note -> note.store().equals(store) && note.topicId().equals(topicId))
        .orElse(null);
  }

  /// Whether the offset is one of a topic of the same name that is no more.
  static boolean isOfAnother(OffsetAndMetadata committed, String topicId) {
    return OffsetMetadata.of(committed.metadata())
        .filter(note -> !note.topicId().equals(topicId))
        .isPresent();
  }
}
