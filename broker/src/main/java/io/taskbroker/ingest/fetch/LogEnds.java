package io.taskbroker.ingest.fetch;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Ends of the logs of a topic's partitions, as their last fetch answers told them. An answer names
/// a partition only if something of it has changed. Thread-safe.
public final class LogEnds {
  private final Map<Integer, End> ends = new ConcurrentHashMap<>();

  /// @param stable first offset of an open transaction; the end if there is none
  /// @param end after the last record
  private record End(long stable, long end) {}

  /// Notes the ends of a partition; negative ones are unknown.
  public void seen(int partition, long stable, long end) {
    if (stable >= 0 && end >= stable) {
      ends.put(partition, new End(stable, end));
    }
  }

  /// End of the partition, records of open transactions included; -1 if unknown.
  public long end(int partition) {
    End known = ends.get(partition);
    return known == null ? -1 : known.end;
  }

  /// First offset of a transaction that is open; -1 if none is known.
  public long openTransaction(int partition) {
    End known = ends.get(partition);
    return known == null || known.stable == known.end ? -1 : known.stable;
  }
}
