package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import java.util.List;

/// Changes that become durable together.
///
/// @param number ascending from batch to batch of one run of a broker; the same when a batch is
///   tried again
public record WriteBatch(long number, List<Change> changes) {
  /// The largest key of what is inserted; [Row#NONE] if nothing is. Looks at every change.
  public long newestKey() {
    long newest = Row.NONE;
    for (Change change : changes) {
      if (change instanceof Change.Insert insert) {
        newest = Math.max(newest, insert.row().key());
      }
    }
    return newest;
  }
}
