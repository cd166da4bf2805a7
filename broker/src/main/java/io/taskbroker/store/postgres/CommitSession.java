package io.taskbroker.store.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The connection that commits: everything of a batch goes to the server at once, and one answer
/// comes back. Confined to the committer's thread.
final class CommitSession {
  /// What the columns and index entries of a row come to, about.
  static final int ROW_BYTES = 250;

  /// More of them go one after the other, in one transaction. Few batches have a second.
  private static final int SEGMENTS_AT_ONCE = 8;

  private static final int SHAPES = 64;

  private final Connection connection;
  private final long run;
  private final Map<String, PreparedStatement> prepared =
      new LinkedHashMap<>(16, 0.75f, true); // by shape

  /// @param connection is the session's from now on
  CommitSession(Connection connection, long run) {
    this.connection = connection;
    this.run = run;
  }

  /// Commits what is planned.
  ///
  /// @param predecessor the number of the batch before, which must be there; -1 if there was none
  /// @param forgotten the number of the batch before the one before
  /// @param reported keys of rows whose reports end
  /// @throws SQLException nothing is committed if a constraint refused it
  void commit(CommitPlan plan, long number, long predecessor, long forgotten, long[] reported)
      throws SQLException {
    List<CommitSegment> segments = plan.segments;
    int from = 0;
    do {
      int to = Math.min(segments.size(), from + SEGMENTS_AT_ONCE);
      boolean last = to == segments.size();
      StatementScript script = new StatementScript();
      if (from == 0) {
        script.begin(plan, run, number, predecessor, forgotten);
      }
      for (CommitSegment segment : segments.subList(from, to)) {
        segment.parts().forEach(script::part);
      }
      if (last) {
        script.end(plan, reported);
      }
      script.run(prepare(script), plan);
      from = to;
    } while (from < segments.size());
    plan.committed();
  }

  /// Ends a transaction that failed.
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
