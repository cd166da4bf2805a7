package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Metadata of an offset commit. It reveals that a history went back, and tells where to read again
/// what was in flight (docs/adr/0006, docs/adr/0012). An offset that another client commits, or an
/// operator resets, has none. A few hundred bytes at most; Kafka accepts 4,096.
///
/// @param store name of the store that holds everything below the offset
/// @param topicId UUID of the topic that the offset belongs to
/// @param position a transaction that the store has, or had
/// @param last a record below the offset that was read; null if none is known
/// @param startOffset start offset: every record below it is done, or in no store of this name;
///   [Watermark#NONE] if unknown
public record OffsetMetadata(
    String store,
    String topicId,
    StorePosition position,
    @Nullable RecordIdentity last,
    long startOffset) {
  private static final String VERSION_1 = "taskbroker/1";
  private static final String VERSION_2 = "taskbroker/2";
  private static final String UNKNOWN = "-";

  /// Metadata without a store position and a record, as in version 1.
  OffsetMetadata(String store, String topicId, long startOffset) {
    this(store, topicId, StorePosition.NONE, null, startOffset);
  }

  String text() {
    return String.join(
        " ",
        VERSION_2,
        store,
        topicId,
        position.equals(StorePosition.NONE) ? UNKNOWN : position.epoch() + ":" + position.batch(),
        last == null ? UNKNOWN : last.offset() + ":" + last.leaderEpoch() + ":" + last.timestamp(),
        startOffset == Watermark.NONE ? UNKNOWN : Long.toString(startOffset));
  }

  /// Parses the metadata of a commit; empty if this broker did not write it.
  public static Optional<OffsetMetadata> of(String metadata) {
    String[] parts = metadata.split(" ", -1);
    try {
      if (parts.length == 4 && parts[0].equals(VERSION_1)) {
        return Optional.of(new OffsetMetadata(parts[1], parts[2], startOffset(parts[3])));
      }
      if (parts.length == 6 && parts[0].equals(VERSION_2)) {
        return Optional.of(
            new OffsetMetadata(
                parts[1], parts[2], position(parts[3]), identity(parts[4]), startOffset(parts[5])));
      }
      return Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static long startOffset(String text) {
    return text.equals(UNKNOWN) ? Watermark.NONE : Math.max(Long.parseLong(text), Watermark.NONE);
  }

  private static StorePosition position(String text) {
    if (text.equals(UNKNOWN)) {
      return StorePosition.NONE;
    }
    String[] numbers = numbers(text, 2);
    return new StorePosition(Long.parseLong(numbers[0]), Long.parseLong(numbers[1]));
  }

  private static @Nullable RecordIdentity identity(String text) {
    if (text.equals(UNKNOWN)) {
      return null;
    }
    String[] numbers = numbers(text, 3);
    return new RecordIdentity(
        Long.parseLong(numbers[0]), Integer.parseInt(numbers[1]), Long.parseLong(numbers[2]));
  }

  private static String[] numbers(String text, int count) {
    String[] numbers = text.split(":", -1);
    if (numbers.length != count) {
      throw new IllegalArgumentException("Not " + count + " numbers: " + text);
    }
    return numbers;
  }
}
