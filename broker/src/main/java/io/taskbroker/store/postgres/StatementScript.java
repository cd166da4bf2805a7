package io.taskbroker.store.postgres;

import io.taskbroker.store.ActivationStore.Outcome;
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

/// Statements that go to the server together, with what is bound to each, and who reads its answer.
/// Confined to the committer's thread.
final class StatementScript {
  private final List<Step> steps = new ArrayList<>();

  /// One statement of a script.
  ///
  /// @param letter tells its kind
  private record Step(char letter, String sql, Binding binding, Answer answer) {}

  private interface Binding {
    void bind(Binder binder) throws SQLException;
  }

  private interface Answer {
    Answer NONE = (_, _) -> {};

    void read(ResultSet result, CommitPlan plan) throws SQLException;
  }

  /// Begins the transaction of a batch, which fails if it is not the run's turn.
  ///
  /// @param predecessor as in [CommitSession#commit], and so is `forgotten`
  void begin(CommitPlan plan, long run, long number, long predecessor, long forgotten) {
    step('b', "BEGIN", _ -> {}, Answer.NONE);
    step('l', Sql.LOCK, binder -> binder.set((int) run), Answer.NONE);
    step(
        'g',
        Sql.GUARD,
        binder -> binder.set(run).set(number).set(plan.slots()).set(predecessor),
        Answer.NONE);
    if (forgotten >= 0) {
      step('f', Sql.FORGET, binder -> binder.set(run).set(forgotten), Answer.NONE);
    }
  }

  /// Makes changes of one kind.
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

  /// Writes what goes with the changes of a batch, and commits it.
  void end(CommitPlan plan, long[] reported) {
    if (!plan.tombstones.isEmpty()) {
      step(
          't',
          Sql.TOMBSTONE,
          binder -> Columns.bindTombstones(plan.tombstones, binder),
          Answer.NONE);
    }
    if (!plan.watermarks.isEmpty()) {
      step(
          'o',
          Sql.OLD_WATERMARK,
          binder -> Columns.bindWatermarks(plan.watermarks, binder, true),
          Answer.NONE);
      step(
          'w',
          Sql.WATERMARK,
          binder -> Columns.bindWatermarks(plan.watermarks, binder, false),
          Answer.NONE);
    }
    if (reported.length > 0) {
      step('r', Sql.OLD_REPORT, binder -> binder.set(reported), Answer.NONE);
    }
    step('c', "COMMIT", _ -> {}, Answer.NONE);
  }

  /// Tells scripts apart whose statements differ.
  String shape() {
    StringBuilder shape = new StringBuilder();
    for (Step step : steps) {
      shape.append(step.letter());
    }
    return shape.toString();
  }

  /// The statements, one after the other.
  String text() {
    StringBuilder text = new StringBuilder();
    for (Step step : steps) {
      text.append(step.sql()).append(";\n");
    }
    return text.toString();
  }

  /// Runs the statements, and tells the plan what became of it.
  ///
  /// @param statement prepared of the [#text] of a script of the same shape
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

  /// To how many rows it was done, and how their sizes changed.
  private static void read(Part part, ResultSet result, CommitPlan plan) throws SQLException {
    int done = 0;
    Set<Long> keys = new HashSet<>();
    while (result.next()) {
      int rows = result.getInt(2);
      done += rows;
      plan.sized(result.getInt(1), change(part.kind, rows, result.getLong(3)));
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
      if (!keys.contains(CommitSegment.key(part.changes.get(i)))) {
        plan.missed(
            part.indices.get(i), part.kind == Kind.INSERT ? Outcome.DUPLICATE : Outcome.MISSING);
      }
    }
  }

  private static long change(Kind kind, int rows, long bytes) {
    return switch (kind) {
      case INSERT -> (long) rows * CommitSession.ROW_BYTES + bytes;
      case DELETE -> -(long) rows * CommitSession.ROW_BYTES - bytes;
      case LEAVE_WITH_PAYLOAD -> bytes;
      case MARK, PROVE, LEAVE -> 0;
    };
  }
}
