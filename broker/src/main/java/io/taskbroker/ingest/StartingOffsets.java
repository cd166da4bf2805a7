package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import org.jspecify.annotations.Nullable;

/// The decision where to begin a partition. Pure.
///
/// What was stored is never read again (H1), what was never read is never skipped (H5), and an
/// operator who moves the group's offsets is obeyed. What this store committed and does not know of
/// it has lost: that is read again (docs/adr/0006).
final class StartingOffsets {
  private StartingOffsets() {}

  static Start decide(Facts facts) {
    Watermark mark = facts.watermark;
    boolean lost = isLost(facts, mark);
    boolean markHolds =
        mark != null && mark.next() <= facts.logEnd && (lost || !isReset(facts, mark));
    long position;
    if (lost && mark == null) {
      position = facts.low() == Watermark.NONE ? facts.committed : facts.low();
    } else if (mark != null && markHolds) {
      position = mark.next();
    } else if (facts.committed != Watermark.NONE) {
      position = facts.committed;
    } else {
      position = facts.byPolicy();
    }
    boolean outOfRange = position < facts.logStart || position > facts.logEnd;
    if (outOfRange) {
      position = facts.logStart;
    }
    boolean fromNowhere = facts.committed == Watermark.NONE && !markHolds;
    return new Start(
        position,
        (outOfRange && !lost) || fromNowhere,
        mark != null && mark.next() != position,
        outOfRange,
        lost);
  }

  /// Whether this store was durable up to the committed offset once, and is not any more.
  private static boolean isLost(Facts facts, @Nullable Watermark mark) {
    return facts.note != null
        && facts.committed <= facts.logEnd
        && (mark == null || mark.next() < facts.committed);
  }

  /// Whether the committed offset is none that this broker can have left behind. A commit between
  /// the last acknowledged one and the watermark is: its acknowledgement was lost.
  private static boolean isReset(Facts facts, Watermark mark) {
    return facts.committed != Watermark.NONE
        && (facts.committed < mark.committed() || facts.committed > mark.next());
  }

  /// What is known of a partition when it is assigned.
  ///
  /// @param committed the committed offset of the group, [Watermark#NONE] if there is none
  /// @param watermark what is stored for exactly this cluster, group, topic UUID and partition
  /// @param topicKnown whether any partition of the topic has a commit or a watermark
  /// @param note what this very store left with the committed offset; null if another left it
  record Facts(
      long committed,
      @Nullable Watermark watermark,
      boolean topicKnown,
      ResetPolicy policy,
      long logStart,
      long logEnd,
      @Nullable OffsetMetadata note) {

    /// From where on records may be in flight; [Watermark#NONE] if that is not known.
    long low() {
      return note == null ? Watermark.NONE : Math.min(note.low(), committed);
    }

    /// `latest` is for a topic of which nothing is known: a partition that was added to a known one
    /// may hold records already (H5).
    private long byPolicy() {
      boolean known = topicKnown || committed != Watermark.NONE || watermark != null;
      return policy == ResetPolicy.LATEST && !known ? logEnd : logStart;
    }
  }

  /// @param position the offset of the first record to read
  /// @param commit whether to commit the position at once, so that a restart begins there too (H5)
  /// @param voided whether the stored watermark is wrong and is to be replaced by the position
  /// @param outOfRange whether the log does not have the offset any more that was to come next
  /// @param lost whether the store has lost what it had of records below the committed offset
  record Start(long position, boolean commit, boolean voided, boolean outOfRange, boolean lost) {}
}
