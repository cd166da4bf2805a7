package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import java.util.List;

/// Changes that become durable in one transaction.
///
/// @param number ascending within a broker process; a retry has the same number
public record WriteBatch(long number, List<Change> changes) {
  /// Largest inserted key; [Row#NONE] without inserts. Scans all changes.
  public long newestKey() {
    long newest = Row.NONE;
    for (Change change : changes) {
      if (change instanceof Change.Insert || change instanceof Change.Fire) {
        newest = Math.max(newest, change.key());
      }
    }
    return newest;
  }
}
