package io.taskbroker.audit;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Result of an audit. Immutable.
///
/// @param entries one for each offset, ordered by partition and offset
/// @param notes what limits the proof, one line each
public record AuditReport(List<AuditEntry> entries, List<String> notes) {
  public AuditReport {
    entries = List.copyOf(entries);
    notes = List.copyOf(notes);
  }

  /// Number of records by outcome.
  public Map<Outcome, Long> counts() {
    var counts = new EnumMap<Outcome, Long>(Outcome.class);
    entries.forEach(entry -> counts.merge(entry.outcome(), 1L, Long::sum));
    return counts;
  }

  /// Whether a record was lost.
  public boolean hasLoss() {
    return entries.stream().anyMatch(entry -> entry.outcome().isLoss());
  }
}
