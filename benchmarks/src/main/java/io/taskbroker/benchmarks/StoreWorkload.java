package io.taskbroker.benchmarks;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.TaskHistory;
import io.taskbroker.activation.TaskHistory.Step;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// Workload on the real SQLite store with a number of rows: batches like the committer's under
/// load, with as many inserts as deletes of the oldest rows. Not thread-safe.
final class StoreWorkload implements AutoCloseable {
  private static final int FILL = 10_000;

  private final EngineWorkload tasks = new EngineWorkload();
  private final ArrayDeque<Change.Delete> ends = new ArrayDeque<>();
  private final ActivationStore store;
  private final boolean recording;
  private long key;
  private long batch;

  /// @param rows number of rows at the start and between batches
  StoreWorkload(Path file, int rows) {
    this(file, rows, false);
  }

  /// @param recording whether each task that ends leaves a record
  StoreWorkload(Path file, int rows, boolean recording) {
    this.recording = recording;
    store = SqliteStore.open(new SqliteOptions(file, 0));
    key = store.lastKey();
    for (int i = 0; i < rows; i += FILL) {
      commit(inserts(Math.min(FILL, rows - i)));
    }
  }

  /// Changes of a batch in which this many tasks arrive and as many end.
  List<Change> changes(int count) {
    List<Change> changes = inserts(count);
    for (int i = 0; i < count; i++) {
      changes.add(ends.remove());
    }
    return changes;
  }

  private List<Change> inserts(int count) {
    var changes = new ArrayList<Change>(2 * count);
    for (Command.IngestedRecord arrival : tasks.records(count, 0).arrivals()) {
      Row row = EngineWorkload.row(++key, arrival);
      changes.add(new Change.Insert(row, null));
      ends.add(
          new Change.Delete(
              key,
              row.activation().id(),
              row.activation().origin(),
              Row.NONE,
              recording ? record(row) : null,
              null));
    }
    return changes;
  }

  /// Record of a usual task: five steps.
  private static FinishedTask record(Row row) {
    long now = System.currentTimeMillis();
    var history = new TaskHistory(now);
    history.add(Step.RECEIVED, now, "");
    history.add(Step.STORED, now + 2, "");
    history.add(Step.DELIVERED, now + 3, "1 worker-1");
    history.add(Step.REPORTED, now + 103, "Complete");
    history.add(Step.ENDED, now + 103, "completed");
    return new FinishedTask(
        row.activation().id(),
        "",
        row.activation().application(),
        row.activation().namespace(),
        row.activation().taskname(),
        row.activation().origin(),
        Outcome.COMPLETED,
        now,
        now + 3,
        now + 103,
        now + 3_600_000,
        1,
        "worker-1",
        "",
        null,
        history.encoded(),
        false);
  }

  /// Commits one transaction, which is durable when this returns.
  void commit(List<Change> changes) {
    var _ = store.commit(new WriteBatch(batch++, changes));
  }

  @Override
  public void close() {
    store.close();
  }
}
