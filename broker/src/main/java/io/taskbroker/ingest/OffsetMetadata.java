package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import java.util.Optional;

/// What goes to Kafka with a committed offset, as its metadata: so that what was in flight can be
/// read again should the store be lost (docs/adr/0006). An offset that somebody else commits, or an
/// operator resets, has none of these.
///
/// @param store the name of the store that holds everything below the offset
/// @param topicId the UUID of the topic that the offset is one of
/// @param low every record below this offset is done, or in no store of this name; [Watermark#NONE]
///   if that is not known
record OffsetMetadata(String store, String topicId, long low) {
  private static final String MARK = "taskbroker/1";
  private static final String UNKNOWN = "-";

  String text() {
    return String.join(
        " ", MARK, store, topicId, low == Watermark.NONE ? UNKNOWN : Long.toString(low));
  }

  /// The note of a commit; empty if its metadata is none.
  static Optional<OffsetMetadata> of(String metadata) {
    String[] parts = metadata.split(" ", -1);
    if (parts.length != 4 || !parts[0].equals(MARK)) {
      return Optional.empty();
    }
    try {
      long low = parts[3].equals(UNKNOWN) ? Watermark.NONE : Long.parseLong(parts[3]);
      return Optional.of(new OffsetMetadata(parts[1], parts[2], Math.max(low, Watermark.NONE)));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }
}
