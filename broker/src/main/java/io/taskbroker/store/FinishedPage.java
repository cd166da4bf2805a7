package io.taskbroker.store;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.store.RowBrowser.Position;
import java.util.List;
import java.util.Optional;

/// Page of records of finished tasks, newest first. On a store of several brokers those of the
/// broker that started last come first.
///
/// @param next where to go on; empty if there is nothing more
public record FinishedPage(List<Found> records, Optional<Position> next) {
  public FinishedPage {
    records = List.copyOf(records);
  }

  /// Record of a finished task.
  ///
  /// @param task without the result
  /// @param resultBytes size of the result; 0 if none is kept
  public record Found(Position position, FinishedTask task, int resultBytes) {}
}
