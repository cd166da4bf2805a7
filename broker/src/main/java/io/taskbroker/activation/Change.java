package io.taskbroker.activation;

import org.jspecify.annotations.Nullable;

/// One durable fact. Changes commit in submission order, except that on a full disk deletes and
/// status updates overtake inserts and watermarks (H12). Two pending changes of one id never
/// overtake each other.
///
/// `owner` is the engine's own reference to the subject of the change; a store returns it and does
/// not look at it. `origin` is that of the row; its partition decides which broker may change the
/// row. The engine does not know the offset of a parked row: it is -1.
public sealed interface Change {
  @Nullable Object owner();

  /// Key of the changed row; [Row#NONE] if the change is about no row.
  long key();

  /// Id of the task; empty if the change is about no task.
  String id();

  /// Kind of the change, for metrics and logs.
  default String kind() {
    return switch (this) {
      case Insert _ -> "insert";
      case Fire _ -> "fire";
      case UpdateStatus _ -> "update_status";
      case ConfirmOffset _ -> "confirm_offset";
      case ChangeDelay _ -> "change_delay";
      case ChangePriority _ -> "change_priority";
      case Forward _ -> "forward";
      case Retry _ -> "retry";
      case Delete _ -> "delete";
      case AdvanceWatermark _ -> "advance_watermark";
      case OffsetCommitted _ -> "offset_committed";
    };
  }

  /// Whether the change needs disk space. On a full disk such changes wait for those that need none
  /// (H12).
  default boolean takesSpace() {
    return switch (this) {
      case Insert _, Fire _, AdvanceWatermark _, OffsetCommitted _ -> true;
      case UpdateStatus _,
          ConfirmOffset _,
          ChangeDelay _,
          ChangePriority _,
          Forward _,
          Retry _,
          Delete _ ->
          false;
    };
  }

  /// Change of one row.
  sealed interface OfRow extends Change {
    Origin origin();
  }

  /// Change of the state of a partition.
  sealed interface OfPartition extends Change {
    SourcePartition partition();

    @Override
    default long key() {
      return Row.NONE;
    }

    @Override
    default String id() {
      return "";
    }
  }

  /// A new row. If its key exists already, the outcome is a duplicate and nothing is written.
  record Insert(Row row, @Nullable Object owner) implements OfRow {
    @Override
    public long key() {
      return row.key();
    }

    @Override
    public String id() {
      return row.activation().id();
    }

    @Override
    public Origin origin() {
      return row.activation().origin();
    }
  }

  /// A new row, the task of a slot, and the step of its schedule to the next slot: both, or neither
  /// with the outcome [ChangeOutcome#SUPERSEDED] if the schedule is not as the step expects.
  record Fire(Row row, ScheduleStep step, @Nullable Object owner) implements OfRow {
    @Override
    public long key() {
      return row.key();
    }

    @Override
    public String id() {
      return row.activation().id();
    }

    @Override
    public Origin origin() {
      return row.activation().origin();
    }
  }

  /// Status, attempts, times and flags of a row. Unparks a parked row.
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
      implements OfRow {

    /// Whether this is an at-most-once row that is delivered once this change is durable. Other
    /// rows have no claim on disk (H9).
    public boolean handsOut() {
      return committed && claimExpiresAt != Row.NONE;
    }
  }

  /// The committed offset now covers the row's record, so an at-most-once row may be delivered
  /// (H2). A parked row stays parked.
  record ConfirmOffset(long key, String id, Origin origin, @Nullable Object owner)
      implements OfRow {}

  /// Another end of a row's delay, set by an operator. Unparks a parked row. The status stays: that
  /// a delay ended is not written.
  ///
  /// @param delayUntil milliseconds since the epoch
  record ChangeDelay(long key, String id, Origin origin, long delayUntil, @Nullable Object owner)
      implements OfRow {}

  /// Another priority of a row, set by an operator.
  ///
  /// @param parkedUntil until when the row stays parked; [Row#NONE] if it is not parked
  record ChangePriority(
      long key, String id, Origin origin, int priority, long parkedUntil, @Nullable Object owner)
      implements OfRow {}

  /// The decision to forward a row: from now on the row holds the record to produce and its
  /// destination.
  ///
  /// @param status `FAILURE` or `RETRY`
  /// @param payload bytes to produce; null to produce the payload of the row
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Forward(
      long key,
      String id,
      Origin origin,
      Status status,
      byte @Nullable [] payload,
      Destination destination,
      @Nullable Object owner)
      implements OfRow {}

  /// Another attempt of a row that its worker reports as failed: status, delay and payload of the
  /// row, and nothing of the failed attempt. The payload may be a little larger than before.
  ///
  /// @param row the whole row, with the key of the one it replaces
  record Retry(Row row, @Nullable Object owner) implements OfRow {
    @Override
    public long key() {
      return row.key();
    }

    @Override
    public String id() {
      return row.activation().id();
    }

    @Override
    public Origin origin() {
      return row.activation().origin();
    }
  }

  /// Removal of a finished row.
  ///
  /// @param tombstoneUntil expiry of the tombstone of its id, milliseconds since the epoch;
  ///   [Row#NONE] for no tombstone
  /// @param finished the record to keep of the task; null for none
  record Delete(
      long key,
      String id,
      Origin origin,
      long tombstoneUntil,
      @Nullable FinishedTask finished,
      @Nullable Object owner)
      implements OfRow {
    /// Removal that leaves no record.
    public Delete(long key, String id, Origin origin, long tombstoneUntil, @Nullable Object owner) {
      this(key, id, origin, tombstoneUntil, null, owner);
    }
  }

  /// Watermark of a partition: earlier changes stored or disposed of every record below `next`.
  ///
  /// @param last the last record read below `next`; null if unknown
  record AdvanceWatermark(
      SourcePartition partition, long next, @Nullable RecordIdentity last, @Nullable Object owner)
      implements OfPartition {
    public AdvanceWatermark(SourcePartition partition, long next, @Nullable Object owner) {
      this(partition, next, null, owner);
    }
  }

  /// Kafka acknowledged `committed` as the committed offset of the partition. A missing watermark
  /// is created there (H5).
  record OffsetCommitted(SourcePartition partition, long committed, @Nullable Object owner)
      implements OfPartition {}
}
