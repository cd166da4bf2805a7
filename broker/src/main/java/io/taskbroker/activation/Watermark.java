package io.taskbroker.activation;

import org.jspecify.annotations.Nullable;

/// How far one partition was consumed, stored in the same transaction as the rows (G1, H1).
///
/// @param next every record below this offset was stored or durably disposed of
/// @param committed the offset that Kafka last acknowledged as committed by this broker; [#NONE] if
///   there was none
/// @param last a record below `next` that was read, one of the last; null if none is known
public record Watermark(
    SourcePartition partition, long next, long committed, @Nullable RecordIdentity last) {
  public static final long NONE = -1;

  public Watermark(SourcePartition partition, long next, long committed) {
    this(partition, next, committed, null);
  }

  /// The same partition, consumed up to `moved`.
  ///
  /// @param read the last record that was read below it; null if it is not known
  public Watermark movedTo(long moved, @Nullable RecordIdentity read) {
    RecordIdentity kept = last != null && last.offset() < moved ? last : null;
    return new Watermark(partition, moved, committed, read != null ? read : kept);
  }
}
