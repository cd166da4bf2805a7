package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import io.taskbroker.ingest.LogProbe.Cut;
import org.jspecify.annotations.Nullable;

/// The decision where to begin a partition. Pure.
///
/// What was stored is never read again (H1), what was never read is never skipped (H5), and an
/// operator who moves the group's offsets is obeyed. A history may have gone back (docs/adr/0012):
/// the store's, where what it committed is more than it knows of; that of Kafka's offsets, where
/// they are behind what it acknowledged; and the log's, which is read from where it was cut off.
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

  /// Below which offset a record that is read may have been run before, beyond what is committed.
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

  /// Whether this store was durable up to the committed offset once, or up to what it had reached,
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

  /// Whether the committed offset is none that this broker can have left behind. A commit between
  /// the last acknowledged one and the watermark is: its acknowledgement was lost. So is any before
  /// it that bears this store's note: then it is Kafka's offsets that went back.
  private static boolean isReset(Facts facts, Watermark mark) {
    return facts.committed != Watermark.NONE
        && facts.note == null
        && (facts.committed < mark.committed() || facts.committed > mark.next());
  }

  /// What is known of a partition when it is assigned.
  ///
  /// @param committed the committed offset of the group, [Watermark#NONE] if there is none
  /// @param watermark what is stored for exactly this cluster, group, topic UUID and partition
  /// @param topicKnown whether any partition of the topic has a commit or a watermark
  /// @param note what this very store left with the committed offset; null if another left it
  /// @param reached how far this broker knows that the store had consumed it; [Watermark#NONE] if
  ///   that is no more than the watermark
  /// @param markCut where the log was cut off below the watermark; null if it was not, as far as is
  ///   known
  /// @param committedCut the same of the committed offset
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

    /// Where no history is known to have gone back.
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

    /// Up to where the log has what was committed.
    private long committedAndKept() {
      return committedCut == null ? committed : Math.min(committed, committedCut.offset());
    }

    /// From where on records may be in flight; [Watermark#NONE] if that is not known. Where nothing
    /// was ever committed, that is anywhere.
    long low() {
      if (note != null) {
        return Math.min(note.low(), committed);
      }
      return committed == Watermark.NONE ? logStart : Watermark.NONE;
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
  /// @param cut whether the log was cut off below what was read, and has other records since
  /// @param reached records below it that are read now may have been run before; [Watermark#NONE]
  ///   if none that is not committed
  record Start(
      long position,
      boolean commit,
      boolean voided,
      boolean outOfRange,
      boolean lost,
      boolean cut,
      long reached) {}
}
