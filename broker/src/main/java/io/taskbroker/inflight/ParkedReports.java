package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reports of a `Failure` or `Retry` on parked rows (G2). A row that a previous process unparked
/// and delivered stays parked on disk until its next status update, so such a report may be true.
/// The row is read from the store, which alone has the payload to forward. Not thread-safe.
final class ParkedReports {
  /// Maximum of rows in one query. One query is pending at a time (G7).
  private static final int PAGE = 16;

  private final EngineState state;
  private final ParkedLoader parkedLoader;
  private final ArrayDeque<Question> waiting = new ArrayDeque<>();
  private boolean querying;

  /// Report on the parked row of that key.
  ///
  /// @param reply null if nobody waits for the answer
  record Question(long key, Command.Update update, @Nullable Reply reply) {}

  private record Page(List<Question> questions) {}

  ParkedReports(EngineState state, ParkedLoader parkedLoader) {
    this.state = state;
    this.parkedLoader = parkedLoader;
  }

  /// Queues a report. Returns false if no worker can have run the row, because this process parked
  /// it.
  boolean add(long key, Command.Update update, @Nullable Reply reply) {
    if (!state.isInherited(key)) {
      return false;
    }
    if (reply != null) {
      reply.await();
    }
    state.queriesSent(1);
    waiting.addLast(new Question(key, update, reply));
    return true;
  }

  /// Queries the next rows, if no query is pending.
  void sendQuery() {
    if (querying || waiting.isEmpty()) {
      return;
    }
    querying = true;
    List<Question> page = new ArrayList<>();
    while (page.size() < PAGE && !waiting.isEmpty()) {
      page.add(waiting.removeFirst());
    }
    state.store.readRows(
        page.stream().map(Question::key).distinct().toList(), new Page(List.copyOf(page)));
  }

  /// Unparks the rows that a worker may have run.
  ///
  /// @return the reports that the rows were read for
  List<Question> read(Command.RowsRead answer) {
    if (!(answer.owner() instanceof Page(List<Question> questions))) {
      throw new IllegalStateException("Answer without a query: " + answer);
    }
    querying = false;
    state.queriesAnswered(questions.size());
    Map<Long, Row> rows = new HashMap<>();
    answer.rows().forEach(row -> rows.put(row.key(), row));
    for (Question question : questions) {
      Row row = rows.get(question.key());
      if (row != null && isParked(row) && mayHaveRun(row)) {
        parkedLoader.unpark(row);
      }
    }
    return questions;
  }

  private boolean isParked(Row row) {
    return state.parked.has(
        Ids.fingerprint(row.activation().id()), row.activation().origin(), row.key());
  }

  /// True even if its delay has not ended: the clock of the previous process may have been ahead.
  private static boolean mayHaveRun(Row row) {
    return !row.activation().atMostOnce()
        && (row.status() == Status.PENDING || row.status() == Status.DELAY);
  }
}
