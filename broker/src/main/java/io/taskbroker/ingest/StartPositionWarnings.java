package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Warnings about unusual start positions: the log lost records, the store lost rows, or somebody
/// moved the committed offset (H1, H5); and what the operator can do. Used by the reader's thread
/// only.
final class StartPositionWarnings {
  private static final Logger log = LoggerFactory.getLogger(StartPositionWarnings.class);

  private final TopicCounts counts;

  StartPositionWarnings(TopicCounts counts) {
    this.counts = counts;
  }

  /// Logs warnings about the start position of a partition.
  void of(PositionFinder.Found found) {
    StartingOffsets.Facts facts = found.facts();
    if (found.start().lost()) {
      lost(found);
    }
    LogProbe.Cut cut = found.start().cut();
    if (cut != null) {
      counts.logCutOff();
      log.error(
          "The log of {} was cut off below what was read of it (committed {}, stored {}), and has"
              + " or will have other records there: an unclean election, or a volume that was"
              + " restored. Reading from {}{}",
          AssignedPartitions.name(found.partition()),
          facts.committed(),
          stored(facts),
          found.start().position(),
          cut.offset() < found.start().position()
              ? ", which another broker has committed since"
              : found.start().reached() == Watermark.NONE
                  ? ", where it differs from what was read"
                  : ", where records with newer timestamps begin. Records below "
                      + found.start().reached()
                      + " that may run only once meet their failure policy, others may run again");
    } else if (found.start().outOfRange()) {
      counts.lostOffset();
      log.error(
          "The log of {} is {} to {}: it has lost the offset that was to come next (committed {},"
              + " stored {}). Reading from {}; the broker never saw the lost records",
          AssignedPartitions.name(found.partition()),
          facts.logStart(),
          facts.logEnd(),
          facts.committed(),
          stored(facts),
          found.start().position());
    } else if (found.start().voided() && !found.start().lost()) {
      log.warn(
          "Starting {} at the committed offset {}: somebody moved the group's offset, or the log"
              + " ends before the stored one ({})",
          AssignedPartitions.name(found.partition()),
          found.start().position(),
          stored(facts));
    }
  }

  private void lost(PositionFinder.Found found) {
    StartingOffsets.Facts facts = found.facts();
    long position = found.start().position();
    counts.storeWentBack();
    if (position < Math.max(facts.committed(), facts.reached())) {
      log.error(
          "The store has lost what it had of {} (committed {}, stored {}, was at {}): reading again"
              + " from {}. Tasks done since run again; tasks that may run only once meet their"
              + " failure policy",
          AssignedPartitions.name(found.partition()),
          facts.committed(),
          stored(facts),
          Math.max(facts.committed(), facts.reached()),
          position);
    } else if (facts.startOffset() == Watermark.NONE) {
      log.error(
          "The store has lost what it had of {}, and from which offset on is unknown:"
              + " reading from the committed offset {}. To run what was in flight, stop the"
              + " broker and set the group's offset back",
          AssignedPartitions.name(found.partition()),
          position);
    }
  }

  private static String stored(StartingOffsets.Facts facts) {
    Watermark watermark = facts.watermark();
    return watermark == null
        ? "nothing"
        : watermark.next() + ", of which committed " + watermark.committed();
  }
}
