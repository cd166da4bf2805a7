package io.taskbroker.activation;

import org.jspecify.annotations.Nullable;

/// Consumed offset of a partition, stored in the transaction of the rows that it covers (G1, H1).
///
/// @param next every record below this offset is stored or durably disposed of
/// @param committed the offset that Kafka last acknowledged to this broker; [#NONE] if none
/// @param last one of the last records read below `next`; null if unknown
public record Watermark(
    SourcePartition partition, long next, long committed, @Nullable RecordIdentity last) {
  public static final long NONE = -1;

  public Watermark(SourcePartition partition, long next, long committed) {
    this(partition, next, committed, null);
  }

  /// The same partition, consumed up to `moved`.
  ///
  /// @param read the last record read below `moved`; null if unknown
  public Watermark movedTo(long moved, @Nullable RecordIdentity read) {
    RecordIdentity kept = last != null && last.offset() < moved ? last : null;
    return new Watermark(partition, moved, committed, read != null ? read : kept);
  }
}
