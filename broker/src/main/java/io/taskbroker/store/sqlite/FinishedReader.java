package io.taskbroker.store.sqlite;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedPage.Found;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.RowBrowser.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reader of the records of finished tasks, backwards in windows of their positions, each a short
/// statement. Stateless.
final class FinishedReader {
  private static final long FIRST_WINDOW = 1 << 20;
  private static final long LARGEST_WINDOW = 1 << 26;
  private static final long SHORT_NANOS = 20_000_000;

  private static final String BOUNDS =
      "SELECT (SELECT min(position) FROM finished), (SELECT max(position) FROM finished)";

  private static final String WINDOW =
      """
      SELECT position, id, first_id, application, namespace, taskname, topic, partition_number,
        record_offset, received_at, outcome, delivered_at, ended_at, kept_until, deliveries, worker,
        message, history, length(result), asked
      FROM finished
      WHERE position >= ?1 AND position < ?2 AND (?3 IS NULL OR id = ?3 OR first_id = ?3)
        AND (?4 IS NULL OR application = ?4) AND (?5 IS NULL OR namespace = ?5)
        AND (?6 IS NULL OR taskname = ?6) AND (?7 IS NULL OR outcome = ?7)
        AND ended_at >= ?8 AND ended_at < ?9
        AND (?10 IS NULL OR instr(lower(message), ?10) > 0)
      ORDER BY position DESC LIMIT ?11
      """;

  private FinishedReader() {}

  /// Reads a page.
  ///
  /// @param end when it ends, full or not, as [System#nanoTime]
  static FinishedPage read(Connection reading, FinishedQuery query, long end) throws SQLException {
    List<Found> found = new ArrayList<>();
    long first;
    long last;
    try (PreparedStatement bounds = reading.prepareStatement(BOUNDS);
        ResultSet result = bounds.executeQuery()) {
      result.next();
      first = SqliteRowCodec.time(result, 1, -1);
      last = SqliteRowCodec.time(result, 2, -1);
    }
    boolean starts = query.before().equals(Position.START);
    long to = starts ? last + 1 : Math.min(last + 1, query.before().key());
    long size = FIRST_WINDOW;
    try (PreparedStatement window = reading.prepareStatement(WINDOW)) {
      bind(window, query);
      while (first >= 0 && to > first) {
        long started = System.nanoTime();
        if (started - end > 0) {
          return new FinishedPage(found, Optional.of(new Position(0, to)));
        }
        window.setLong(1, to - size);
        window.setLong(2, to);
        window.setInt(11, query.limit() - found.size());
        try (ResultSet result = window.executeQuery()) {
          while (result.next()) {
            found.add(found(result));
          }
        }
        if (found.size() == query.limit()) {
          return new FinishedPage(found, Optional.of(found.getLast().position()));
        }
        to -= size;
        if (System.nanoTime() - started < SHORT_NANOS) {
          size = Math.min(2 * size, LARGEST_WINDOW);
        }
      }
    }
    return new FinishedPage(found, Optional.empty());
  }

  private static void bind(PreparedStatement window, FinishedQuery query) throws SQLException {
    window.setString(3, query.id().orElse(null));
    window.setString(4, query.application().orElse(null));
    window.setString(5, query.namespace().orElse(null));
    window.setString(6, query.taskname().orElse(null));
    window.setString(7, query.outcome().map(Enum::name).orElse(null));
    window.setLong(8, query.endedFrom());
    window.setLong(9, query.endedTo());
    window.setString(10, query.message().map(text -> text.toLowerCase(Locale.ROOT)).orElse(null));
  }

  private static Found found(ResultSet result) throws SQLException {
    var task =
        new FinishedTask(
            Outcome.valueOf(result.getString(11)),
            text(result, 3),
            SqliteRowCodec.time(result, 12, Row.NONE),
            result.getLong(13),
            result.getLong(14),
            result.getInt(15),
            text(result, 16),
            text(result, 17),
            null,
            result.getBytes(18),
            result.getInt(20) == 1);
    return new Found(
        new Position(0, result.getLong(1)),
        result.getString(2),
        result.getString(4),
        result.getString(5),
        result.getString(6),
        new Origin(result.getString(7), result.getInt(8), result.getLong(9)),
        result.getLong(10),
        task,
        result.getInt(19));
  }

  private static String text(ResultSet result, int column) throws SQLException {
    String text = result.getString(column);
    return text == null ? "" : text;
  }
}
