package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import io.taskbroker.ingest.LogProbe.Cut;
import org.jspecify.annotations.Nullable;

/// Decision where to start reading a partition. Pure.
///
/// A stored record is never read again (H1), an unread record is never skipped (H5), and an
/// operator who moves the group's offsets is obeyed. A history may have gone back (docs/adr/0012):
/// the store's, if it committed more than it has; that of Kafka's offsets, if they are behind what
/// Kafka acknowledged; and the log's, which is then read from its truncation point.
final class StartingOffsets {
  private StartingOffsets() {}

  static Start decide(Facts facts) {
    Watermark mark = facts.watermark;
    boolean lost = isLost(facts, mark);
    Cut cut = null;
    long believed = Watermark.NONE;
    long position;
    boolean markHolds = mark != null && markHolds(facts, mark, lost);
    if (lost && mark == null) {
      position = facts.low() == Watermark.NONE ? facts.committed : facts.low();
    } else if (mark != null && markHolds) {
      position = mark.next();
      believed = position;
      cut = facts.markCut;
    } else if (facts.committed != Watermark.NONE) {
      position = facts.committed;
      believed = position;
      cut = facts.committedCut;
    } else {
      position = facts.byPolicy();
    }
    boolean isCut = cut != null && cut.offset() < position;
    if (cut != null && isCut) {
      position = cut.offset();
    }
    boolean below = position < facts.logStart;
    boolean outOfRange = below || position > facts.logEnd;
    if (outOfRange) {
      position = facts.logStart;
    }
    boolean fromNowhere = facts.committed == Watermark.NONE && !markHolds;
    return new Start(
        position,
        (outOfRange && !lost) || fromNowhere || isCut,
        mark != null && mark.next() != position,
        outOfRange,
        lost,
        isCut,
        reached(facts, lost, cut != null && isCut && !cut.exact(), outOfRange && !below, believed));
  }

  /// Offset below which a record may have been run before, beyond what is committed.
  private static long reached(
      Facts facts, boolean lost, boolean vague, boolean beyondEnd, long believed) {
    long reached = Watermark.NONE;
    if (lost) {
      reached =
          Math.max(facts.note == null ? Watermark.NONE : facts.committedAndKept(), facts.reached);
    }
    return (vague || beyondEnd) ? Math.max(reached, believed) : reached;
  }

  private static boolean markHolds(Facts facts, Watermark mark, boolean lost) {
    return (mark.next() <= facts.logEnd || facts.markCut != null)
        && (lost || !isReset(facts, mark));
  }

  /// Whether this store was once durable up to the committed offset, or up to what it had reached,
  /// and is not any more.
  private static boolean isLost(Facts facts, @Nullable Watermark mark) {
    long next = mark == null ? Watermark.NONE : mark.next();
    if (mark != null && facts.reached > next) {
      return true;
    }
    if (facts.note == null) {
      return false;
    }
    return (mark == null && facts.committedCut == null)
        ? facts.committed <= facts.logEnd
        : Math.min(facts.committedAndKept(), facts.logEnd) > next;
  }

  /// Whether an operator moved the committed offset, as this broker cannot have committed it. It
  /// can have committed any offset from the last acknowledged one to the watermark, if the
  /// acknowledgement was lost. It has committed every earlier one with this store's metadata: then
  /// Kafka's offsets went back.
  private static boolean isReset(Facts facts, Watermark mark) {
    return facts.committed != Watermark.NONE
        && facts.note == null
        && (facts.committed < mark.committed() || facts.committed > mark.next());
  }

  /// Facts about a partition at its assignment.
  ///
  /// @param committed the committed offset of the group, [Watermark#NONE] if there is none
  /// @param watermark the stored one for exactly this cluster, group, topic UUID and partition
  /// @param topicKnown whether any partition of the topic has a commit or a watermark
  /// @param note metadata that this very store wrote with the committed offset; null if another did
  /// @param reached how far this broker knows that the store had consumed it; [Watermark#NONE] if
  ///   that is no more than the watermark
  /// @param markCut truncation point of the log below the watermark; null if it was not truncated
  ///   there, as far as is known
  /// @param committedCut the same for the committed offset
  record Facts(
      long committed,
      @Nullable Watermark watermark,
      boolean topicKnown,
      ResetPolicy policy,
      long logStart,
      long logEnd,
      @Nullable OffsetMetadata note,
      long reached,
      @Nullable Cut markCut,
      @Nullable Cut committedCut) {

    /// Facts without a history that went back.
    Facts(
        long committed,
        @Nullable Watermark watermark,
        boolean topicKnown,
        ResetPolicy policy,
        long logStart,
        long logEnd,
        @Nullable OffsetMetadata note) {
      this(
          committed,
          watermark,
          topicKnown,
          policy,
          logStart,
          logEnd,
          note,
          Watermark.NONE,
          null,
          null);
    }

    /// Offset up to which the log has the committed records.
    private long committedAndKept() {
      return committedCut == null ? committed : Math.min(committed, committedCut.offset());
    }

    /// Start offset: records from it on may be in flight; [Watermark#NONE] if unknown. If nothing
    /// was ever committed, it is the start of the log.
    long low() {
      if (note != null) {
        return Math.min(note.low(), committed);
      }
      return committed == Watermark.NONE ? logStart : Watermark.NONE;
    }

    /// Position by the reset policy. `latest` applies only to an unknown topic: a partition added
    /// to a known one may hold records already (H5).
    private long byPolicy() {
      boolean known = topicKnown || committed != Watermark.NONE || watermark != null;
      return policy == ResetPolicy.LATEST && !known ? logEnd : logStart;
    }
  }

  /// @param position the offset of the first record to read
  /// @param commit whether to commit the position at once, so that a restart begins there too (H5)
  /// @param voided whether the stored watermark is wrong and the position replaces it
  /// @param outOfRange whether the log no longer has the next offset to read
  /// @param lost whether the store has lost rows of records below the committed offset
  /// @param cut whether the log was truncated below what was read, and has other records since
  /// @param reached records below it that are read now may have been run before; [Watermark#NONE]
  ///   if only committed ones may
  record Start(
      long position,
      boolean commit,
      boolean voided,
      boolean outOfRange,
      boolean lost,
      boolean cut,
      long reached) {}
}
