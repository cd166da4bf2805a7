package io.taskbroker.activation;

import org.jspecify.annotations.Nullable;

/// One durable change. Changes are committed in the order in which they were made, except that a
/// full disk lets deletes and marks overtake inserts and watermarks (H12); no two changes of one id
/// that are under way at the same time are affected by that.
///
/// `owner` is whom the change is about in the memory of its maker; a store hands it back and does
/// not look at it. `origin` is that of the row, whose partition says which broker may change it; of
/// a row that is parked its offset is not known to the maker, and -1.
public sealed interface Change {
  @Nullable Object owner();

  /// Whether it takes space in the store, so that a full disk makes it wait for those that take
  /// none (H12).
  default boolean takesSpace() {
    return switch (this) {
      case Insert _, AdvanceWatermark _, OffsetCommitted _ -> true;
      case UpdateStatus _, ConfirmOffset _, Forward _, Delete _ -> false;
    };
  }

  /// A new row. It is a duplicate, and nothing is written, when its key is there already.
  record Insert(Row row, @Nullable Object owner) implements Change {}

  /// Status, attempts, times and flags of a row; what was parked is no longer.
  record UpdateStatus(
      long key,
      String id,
      Origin origin,
      Status status,
      int attempts,
      long claimExpiresAt,
      long processingDeadline,
      boolean deadlineExtended,
      boolean committed,
      @Nullable Object owner)
      implements Change {

    /// Whether the row is one that may run only once, and is handed out when this is durable. Other
    /// rows have no claim on disk (H9).
    public boolean handsOut() {
      return committed && claimExpiresAt != Row.NONE;
    }
  }

  /// The offset of the row's record is committed, so that it may be handed out although it may run
  /// only once (H2). A parked row stays parked.
  record ConfirmOffset(long key, String id, Origin origin, @Nullable Object owner)
      implements Change {}

  /// A row's departure is decided: from now on it holds what is to be produced, and where to.
  ///
  /// @param status `FAILURE` or `RETRY`
  /// @param payload what is to be produced; null if it is the payload that the row has
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Forward(
      long key,
      String id,
      Origin origin,
      Status status,
      byte @Nullable [] payload,
      Destination destination,
      @Nullable Object owner)
      implements Change {}

  /// The end of a row.
  ///
  /// @param tombstoneUntil until when its id is remembered, milliseconds since the epoch;
  ///   [Row#NONE] if it is not
  record Delete(long key, String id, Origin origin, long tombstoneUntil, @Nullable Object owner)
      implements Change {}

  /// Everything below `next` of the partition is stored or disposed of by changes made before this
  /// one.
  ///
  /// @param last the last record that was read below it; null if it is not known
  record AdvanceWatermark(
      SourcePartition partition, long next, @Nullable RecordIdentity last, @Nullable Object owner)
      implements Change {
    public AdvanceWatermark(SourcePartition partition, long next, @Nullable Object owner) {
      this(partition, next, null, owner);
    }
  }

  /// Kafka acknowledged `committed` as the committed offset of the partition. Where there is no
  /// watermark yet, one is made that begins there (H5).
  record OffsetCommitted(SourcePartition partition, long committed, @Nullable Object owner)
      implements Change {}
}
