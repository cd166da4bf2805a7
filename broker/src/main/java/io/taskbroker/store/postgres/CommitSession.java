package io.taskbroker.store.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Connection that commits batches: sends a whole batch at once and reads one reply. Confined to
/// the committer thread.
final class CommitSession {
  /// Approximate size of the columns and index entries of a row, without the payload.
  static final int ROW_BYTES = 250;

  /// Segments per round trip. Further ones follow in the same transaction; few batches have more
  /// than one.
  private static final int SEGMENTS_AT_ONCE = 8;

  private static final int SHAPES = 64;

  private final Connection connection;
  private final long epoch;
  private final FinishedLog finished;
  private final Map<String, PreparedStatement> prepared =
      new LinkedHashMap<>(16, 0.75f, true); // by shape, least recently used first

  /// @param connection owned by the session from now on
  CommitSession(Connection connection, long epoch, FinishedLog finished) {
    this.connection = connection;
    this.epoch = epoch;
    this.finished = finished;
  }

  /// Commits a plan.
  ///
  /// @param predecessor the number of the previous batch, which must be in the table; -1 if there
  ///   was none
  /// @param expired the number of the batch before that, whose row is deleted
  /// @throws SQLException if a constraint refused the batch: nothing is committed
  void commit(CommitPlan plan, long number, long predecessor, long expired) throws SQLException {
    List<CommitSegment> segments = plan.segments;
    int from = 0;
    do {
      int to = Math.min(segments.size(), from + SEGMENTS_AT_ONCE);
      boolean last = to == segments.size();
      StatementScript script = new StatementScript();
      if (from == 0) {
        script.begin(plan, epoch, number, predecessor, expired);
      }
      for (CommitSegment segment : segments.subList(from, to)) {
        segment.parts().forEach(script::part);
      }
      if (last) {
        finished.add(plan, script);
        script.end(plan);
      }
      script.run(prepare(script), plan);
      from = to;
    } while (from < segments.size());
    plan.recordCommit();
    finished.committed(plan);
  }

  /// Rolls a failed transaction back.
  void rollback() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("ROLLBACK");
    }
  }

  void close() {
    Server.close(connection);
  }

  private PreparedStatement prepare(StatementScript script) throws SQLException {
    String shape = script.shape();
    PreparedStatement known = prepared.get(shape);
    if (known != null) {
      return known;
    }
    if (prepared.size() >= SHAPES) {
      var oldest = prepared.entrySet().iterator();
      oldest.next().getValue().close();
      oldest.remove();
    }
    PreparedStatement statement = connection.prepareStatement(script.text());
    prepared.put(shape, statement);
    return statement;
  }
}
