package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What whoever runs the broker is to know of where a partition begins: that the log lost records,
/// that the store lost what it had, that somebody moved the offset (H1, H5); and what can be done
/// about it. Used by the reader's thread only.
final class StartPositionWarnings {
  private static final Logger log = LoggerFactory.getLogger(StartPositionWarnings.class);

  private final TopicCounts counts;

  StartPositionWarnings(TopicCounts counts) {
    this.counts = counts;
  }

  /// Says of a partition what is unusual about its beginning, if anything is.
  void of(PositionFinder.Found found) {
    StartingOffsets.Facts facts = found.facts();
    if (found.start().lost()) {
      lost(found);
    }
    if (found.start().cut()) {
      counts.logCutOff();
      log.error(
          "The log of {} was cut off below what was read of it (committed {}, stored {}), and has"
              + " or will have other records there: an unclean election, or a volume that was put"
              + " back. Reads on from {}{}",
          AssignedPartitions.name(found.partition()),
          facts.committed(),
          stored(facts),
          found.start().position(),
          found.start().reached() == Watermark.NONE
              ? ", where it parts from what was read"
              : ", where by their timestamps newer records begin. Records below "
                  + found.start().reached()
                  + " that may run only once meet their failure policy, others may run again");
    } else if (found.start().outOfRange()) {
      counts.lostOffset();
      log.error(
          "The log of {} is {} to {}: it has lost the offset that was to come next (committed {},"
              + " stored {}). Reads from {} on; what was lost was never seen",
          AssignedPartitions.name(found.partition()),
          facts.logStart(),
          facts.logEnd(),
          facts.committed(),
          stored(facts),
          found.start().position());
    } else if (found.start().voided() && !found.start().lost() && !found.start().cut()) {
      log.warn(
          "Begins {} at {}, which is committed: somebody moved the group's offset, or the log ends"
              + " before the stored one ({})",
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
          "The store has lost what it had of {} (committed {}, stored {}, was at {}): reads again"
              + " from {} on. What was done since runs again; what may run only once meets its"
              + " failure policy",
          AssignedPartitions.name(found.partition()),
          facts.committed(),
          stored(facts),
          Math.max(facts.committed(), facts.reached()),
          position);
    } else if (facts.low() == Watermark.NONE) {
      log.error(
          "The store has lost what it had of {}, and it is not known from which offset on that was:"
              + " reads on from {}, which is committed. To have what was in flight run, stop the"
              + " broker and set the offset of the group back",
          AssignedPartitions.name(found.partition()),
          position);
    }
  }

  private static String stored(StartingOffsets.Facts facts) {
    Watermark mark = facts.watermark();
    return mark == null ? "nothing" : mark.next() + ", of which committed " + mark.committed();
  }
}
