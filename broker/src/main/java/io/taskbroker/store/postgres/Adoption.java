package io.taskbroker.store.postgres;

import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import java.util.List;

/// What a broker took over that no broker had.
///
/// @param partitions are this broker's now, to be loaded like those that Kafka assigned; of no
///   cluster, group and topic id
/// @param rows came from no partition, and are among this broker's own of that kind now
/// @param parked the same, of rows that are parked
public record Adoption(List<SourcePartition> partitions, List<Row> rows, List<ParkedRow> parked) {
  public Adoption {
    partitions = List.copyOf(partitions);
    rows = List.copyOf(rows);
    parked = List.copyOf(parked);
  }

  /// Whether there was nothing to be taken over.
  public boolean isEmpty() {
    return partitions.isEmpty() && rows.isEmpty() && parked.isEmpty();
  }
}
