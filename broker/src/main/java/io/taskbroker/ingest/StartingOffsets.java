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
    Watermark watermark = facts.watermark;
    boolean lost = isLost(facts, watermark);
    Cut cut = null;
    long trusted = Watermark.NONE;
    long position;
    boolean overtaken = !lost && watermark != null && isOvertaken(facts);
    boolean watermarkHolds =
        watermark != null && !overtaken && watermarkHolds(facts, watermark, lost);
    if (lost && watermark == null) {
      position = facts.startOffset() == Watermark.NONE ? facts.committed : facts.startOffset();
    } else if (watermark != null && watermarkHolds) {
      position = watermark.next();
      trusted = position;
      cut = facts.watermarkCut;
    } else if (facts.committed != Watermark.NONE) {
      position = facts.committed;
      trusted = position;
      cut = facts.committedCut;
    } else {
      position = facts.byPolicy();
    }
    if (cut != null && cut.offset() < position) {
      position = cut.offset();
    } else {
      cut = null;
    }
    if (watermark != null && overtaken) {
      cut = facts.watermarkCut;
      trusted = watermark.next();
    }
    boolean below = position < facts.logStart;
    boolean outOfRange = below || position > facts.logEnd;
    if (outOfRange) {
      position = facts.logStart;
    }
    boolean startsFresh = facts.committed == Watermark.NONE && !watermarkHolds;
    return new Start(
        position,
        (outOfRange && !lost)
            || startsFresh
            || (cut != null && !overtaken)
            || facts.isCommittedLost(),
        watermark != null && (watermark.next() != position || overtaken),
        outOfRange,
        lost,
        cut,
        reached(facts, lost, cut != null && !cut.exact(), outOfRange && !below, trusted));
  }

  /// Offset below which a record may have run before, if that is beyond the committed one.
  private static long reached(
      Facts facts, boolean lost, boolean vague, boolean beyondEnd, long trusted) {
    long reached = Watermark.NONE;
    if (lost) {
      reached =
          Math.max(
              facts.metadata == null ? Watermark.NONE : facts.committedAndKept(), facts.reached);
    }
    return (vague || beyondEnd) ? Math.max(reached, trusted) : reached;
  }

  private static boolean watermarkHolds(Facts facts, Watermark watermark, boolean lost) {
    return (watermark.next() <= facts.logEnd || facts.watermarkCut != null)
        && (lost || overtakes(facts, watermark) || !isReset(facts, watermark));
  }

  /// Whether another broker has read on from where the log was truncated, and this one had not
  /// noticed: the log has the record of the committed offset, and not that of the watermark.
  private static boolean isOvertaken(Facts facts) {
    return facts.watermarkCut != null
        && facts.committedKept
        && facts.committed > facts.watermarkCut.offset();
  }

  /// Whether this broker has read on from where the log was truncated, and the committed offset is
  /// from before.
  private static boolean overtakes(Facts facts, Watermark watermark) {
    return facts.isCommittedLost()
        && facts.committedCut != null
        && facts.watermarkCut == null
        && watermark.last() != null
        && watermark.next() > facts.committedCut.offset();
  }

  /// Whether this store was once durable up to the committed offset, or up to what it had reached,
  /// and is not any more.
  private static boolean isLost(Facts facts, @Nullable Watermark watermark) {
    long next = watermark == null ? Watermark.NONE : watermark.next();
    if (watermark != null && facts.reached > next) {
      return true;
    }
    if (facts.metadata == null) {
      return false;
    }
    return (watermark == null && facts.committedCut == null)
        ? facts.committed <= facts.logEnd
        : Math.min(facts.committedAndKept(), facts.logEnd) > next
            || (watermark != null && isOvertaken(facts));
  }

  /// Whether an operator moved the committed offset, as this broker cannot have committed it. It
  /// can have committed any offset from the last acknowledged one to the watermark, if the
  /// acknowledgement was lost. It has committed every earlier one with this store's metadata: then
  /// Kafka's offsets went back.
  private static boolean isReset(Facts facts, Watermark watermark) {
    return facts.committed != Watermark.NONE
        && facts.metadata == null
        && (facts.committed < watermark.committed() || facts.committed > watermark.next());
  }

  /// Facts about a partition at its assignment.
  ///
  /// @param committed the committed offset of the group, [Watermark#NONE] if there is none
  /// @param watermark the stored one for exactly this cluster, group, topic UUID and partition
  /// @param topicKnown whether any partition of the topic has a commit or a watermark
  /// @param metadata metadata that this very store wrote with the committed offset; null if another
  ///   did
  /// @param reached how far this broker knows that the store had consumed it; [Watermark#NONE] if
  ///   that is no more than the watermark
  /// @param watermarkCut truncation point of the log below the watermark; null if it was not
  ///   truncated there, as far as is known
  /// @param committedCut the same for the committed offset
  /// @param committedKept whether the log has the record that the committed offset's metadata names
  record Facts(
      long committed,
      @Nullable Watermark watermark,
      boolean topicKnown,
      ResetPolicy policy,
      long logStart,
      long logEnd,
      @Nullable OffsetMetadata metadata,
      long reached,
      @Nullable Cut watermarkCut,
      @Nullable Cut committedCut,
      boolean committedKept) {

    /// Facts without a history that went back.
    Facts(
        long committed,
        @Nullable Watermark watermark,
        boolean topicKnown,
        ResetPolicy policy,
        long logStart,
        long logEnd,
        @Nullable OffsetMetadata metadata) {
      this(
          committed,
          watermark,
          topicKnown,
          policy,
          logStart,
          logEnd,
          metadata,
          Watermark.NONE,
          null,
          null,
          false);
    }

    /// Whether the committed offset is of records that the log has lost.
    boolean isCommittedLost() {
      return committedCut != null && committedCut.offset() < committed;
    }

    /// Offset up to which the log has the committed records.
    private long committedAndKept() {
      return committedCut == null ? committed : Math.min(committed, committedCut.offset());
    }

    /// Start offset: records from it on may be in flight; [Watermark#NONE] if unknown. If nothing
    /// was ever committed, it is the start of the log.
    long startOffset() {
      if (metadata != null) {
        return Math.min(metadata.startOffset(), committed);
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
  /// @param cut truncation point of the log below what was read, after which it has other records;
  ///   null if there is none
  /// @param reached records below it that are read now may have been run before; [Watermark#NONE]
  ///   if only committed ones may
  record Start(
      long position,
      boolean commit,
      boolean voided,
      boolean outOfRange,
      boolean lost,
      @Nullable Cut cut,
      long reached) {}
}
