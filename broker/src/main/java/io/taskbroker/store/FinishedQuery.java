package io.taskbroker.store;

import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.store.RowBrowser.Position;
import java.time.Duration;
import java.util.Optional;

/// Filter of the records of finished tasks; an empty field matches all.
///
/// @param before the page begins behind this position, newest records first; [Position#START] for
///   the newest
/// @param id the id of a task, or of the first attempt of its chain of retries
/// @param endedFrom,endedTo milliseconds since the epoch, the first included
/// @param message text that the failure message contains, whatever the case of its letters
/// @param limit records of the page, 1 to [RowBrowser#MAX_ROWS]
/// @param within time after which the page ends, full or not
public record FinishedQuery(
    Position before,
    Optional<String> id,
    Optional<String> application,
    Optional<String> namespace,
    Optional<String> taskname,
    Optional<Outcome> outcome,
    long endedFrom,
    long endedTo,
    Optional<String> message,
    int limit,
    Duration within) {
  public FinishedQuery {
    if (limit < 1 || limit > RowBrowser.MAX_ROWS) {
      throw new IllegalArgumentException(
          "limit must be from 1 to " + RowBrowser.MAX_ROWS + ": " + limit);
    }
  }

  /// The record of a task.
  public static FinishedQuery ofId(String id, Position before, Duration within) {
    return new FinishedQuery(
        before,
        Optional.of(id),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        Optional.empty(),
        1,
        within);
  }
}
