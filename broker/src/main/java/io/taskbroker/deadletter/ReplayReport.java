package io.taskbroker.deadletter;

import java.util.EnumMap;
import java.util.Map;

/// Result of a replay or of discarding, also while it runs. Immutable.
///
/// @param run id of the run, which its resolutions hold
/// @param selected number of dead letters that matched
/// @param done number of them replayed, or discarded; in a dry run those that would be
/// @param byTopic `done` by the topic they were replayed to
/// @param skipped number of the others by reason
/// @param complete false if it stopped at the limit, so that there may be more
/// @param scanned number of records read
/// @param size number of records to read
public record ReplayReport(
    String run,
    long selected,
    long done,
    Map<String, Long> byTopic,
    Map<SkipReason, Long> skipped,
    boolean complete,
    long scanned,
    long size) {

  public ReplayReport {
    byTopic = Map.copyOf(byTopic);
    var copy = new EnumMap<SkipReason, Long>(SkipReason.class);
    copy.putAll(skipped);
    skipped = copy;
  }

  /// Number of dead letters that still wait for a decision.
  public long unfinished() {
    return skipped.entrySet().stream()
        .filter(it -> it.getKey().isUnfinished())
        .mapToLong(Map.Entry::getValue)
        .sum();
  }
}
