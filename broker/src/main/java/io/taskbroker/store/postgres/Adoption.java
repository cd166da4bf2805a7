package io.taskbroker.store.postgres;

import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import java.util.List;

/// Orphans that a broker took over.
///
/// @param partitions partitions that this broker owns now, to be loaded like assigned ones;
///   cluster, group and topic id are empty
/// @param rows rows that came from no partition, moved to the partition of this broker's member
///   slot
/// @param parked such rows that are parked
public record Adoption(List<SourcePartition> partitions, List<Row> rows, List<ParkedRow> parked) {
  static final Adoption NONE = new Adoption(List.of(), List.of(), List.of());

  public Adoption {
    partitions = List.copyOf(partitions);
    rows = List.copyOf(rows);
    parked = List.copyOf(parked);
  }

  /// Whether there were no orphans.
  public boolean isEmpty() {
    return partitions.isEmpty() && rows.isEmpty() && parked.isEmpty();
  }
}
