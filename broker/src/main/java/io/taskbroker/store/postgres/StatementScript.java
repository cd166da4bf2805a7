package io.taskbroker.store.postgres;

import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.store.postgres.CommitSegment.Kind;
import io.taskbroker.store.postgres.CommitSegment.Part;
import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Statements of one round trip, with their bindings and readers of their results. Confined to the
/// committer thread.
final class StatementScript {
  private final List<Step> steps = new ArrayList<>();

  /// One statement of a script.
  ///
  /// @param letter identifies the kind of statement
  private record Step(char letter, String sql, Binding binding, Answer answer) {}

  interface Binding {
    void bind(Binder binder) throws SQLException;
  }

  private interface Answer {
    Answer NONE = (_, _) -> {};

    void read(ResultSet result, CommitPlan plan) throws SQLException;
  }

  /// Begins the transaction of a batch. It fails if the batch is out of order or not permitted.
  ///
  /// @param predecessor as in [CommitSession#commit], as is `expired`
  void begin(CommitPlan plan, long epoch, long number, long predecessor, long expired) {
    step('b', "BEGIN", _ -> {}, Answer.NONE);
    step('l', Sql.LOCK_EPOCH_SHARED, binder -> binder.set((int) epoch), Answer.NONE);
    step(
        'g',
        Sql.GUARD,
        binder -> binder.set(epoch).set(number).set(plan.partitionIds()).set(predecessor),
        Answer.NONE);
    if (expired >= 0) {
      step('f', Sql.DELETE_OLD_BATCH, binder -> binder.set(epoch).set(expired), Answer.NONE);
    }
  }

  /// Adds the changes of one kind.
  void part(Part part) {
    step(
        part.kind.letter(),
        Sql.of(part.kind),
        binder -> {
          Columns.bind(part, binder);
          binder.set(part.changes.size());
        },
        (result, plan) -> read(part, result, plan));
  }

  /// Adds pages of records of finished tasks.
  void finished(Binding pages) {
    step('z', FinishedLog.INSERT, pages, Answer.NONE);
  }

  /// Adds the deletion of the oldest pages of records of an epoch.
  ///
  /// @param before position before which all are deleted
  void purge(long epoch, long before) {
    step(
        'x',
        FinishedLog.PURGE,
        binder -> binder.set(epoch).set(before).set(before).set(0L),
        Answer.NONE);
  }

  /// Adds tombstones, watermarks and the deletion of reports, and the commit.
  void end(CommitPlan plan) {
    if (!plan.tombstones.isEmpty()) {
      step(
          't',
          Sql.INSERT_TOMBSTONES,
          binder -> Columns.bindTombstones(plan.tombstones, binder),
          Answer.NONE);
    }
    if (!plan.watermarks.isEmpty()) {
      step(
          'o',
          Sql.DELETE_OLD_WATERMARKS,
          binder -> Columns.bindWatermarks(plan.watermarks, binder, true),
          Answer.NONE);
      step(
          'w',
          Sql.INSERT_WATERMARKS,
          binder -> Columns.bindWatermarks(plan.watermarks, binder, false),
          Answer.NONE);
    }
    if (plan.deletedWithReports.length > 0) {
      step('n', Sql.DELETE_REPORTS, binder -> binder.set(plan.deletedWithReports), Answer.NONE);
    }
    if (plan.retriedWithReports.length > 0) {
      step('u', Sql.DELETE_FAILURES, binder -> binder.set(plan.retriedWithReports), Answer.NONE);
    }
    step('c', "COMMIT", _ -> {}, Answer.NONE);
  }

  /// Identity of the statements: scripts of the same shape share a prepared statement.
  String shape() {
    StringBuilder shape = new StringBuilder();
    for (Step step : steps) {
      shape.append(step.letter());
    }
    return shape.toString();
  }

  /// SQL text of all statements.
  String text() {
    StringBuilder text = new StringBuilder();
    for (Step step : steps) {
      text.append(step.sql()).append(";\n");
    }
    return text.toString();
  }

  /// Executes the statements and passes the results to the plan.
  ///
  /// @param statement prepared from the [#text] of a script of the same shape
  void run(PreparedStatement statement, CommitPlan plan) throws SQLException {
    Binder binder = new Binder(statement);
    for (Step step : steps) {
      step.binding().bind(binder);
    }
    boolean isResult = statement.execute();
    for (Step step : steps) {
      if (isResult) {
        try (ResultSet result = statement.getResultSet()) {
          step.answer().read(result, plan);
        }
      }
      isResult = statement.getMoreResults();
    }
  }

  private void step(char letter, String sql, Binding binding, Answer answer) {
    steps.add(new Step(letter, sql, binding, answer));
  }

  /// Reads the number of changed rows and the change in size.
  private static void read(Part part, ResultSet result, CommitPlan plan) throws SQLException {
    int done = 0;
    Set<Long> keys = new HashSet<>();
    while (result.next()) {
      int rows = result.getInt(2);
      done += rows;
      plan.addBytes(result.getInt(1), change(part.kind, rows, result.getLong(3)));
      Array some = result.getArray(4);
      if (some != null) {
        for (Object key : (Object[]) some.getArray()) {
          keys.add((Long) key);
        }
      }
    }
    if (done == part.changes.size()) {
      return;
    }
    for (int i = 0; i < part.changes.size(); i++) {
      if (!keys.contains(part.changes.get(i).key())) {
        plan.setOutcome(
            part.indices.get(i),
            switch (part.kind) {
              case INSERT -> ChangeOutcome.DUPLICATE;
              case FIRE -> ChangeOutcome.SUPERSEDED;
              default -> ChangeOutcome.MISSING;
            });
      }
    }
  }

  private static long change(Kind kind, int rows, long bytes) {
    return switch (kind) {
      case INSERT, FIRE -> (long) rows * CommitSession.ROW_BYTES + bytes;
      case DELETE -> -(long) rows * CommitSession.ROW_BYTES - bytes;
      case FORWARD_WITH_PAYLOAD, RETRY -> bytes;
      case UPDATE_STATUS, CONFIRM_OFFSET, CHANGE_DELAY, CHANGE_PRIORITY, FORWARD -> 0;
    };
  }
}
