package io.taskbroker.store.sqlite;

import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.FinishedSearch;
import io.taskbroker.store.RowBrowser.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// Reader of the records of finished tasks, backwards in windows of their positions, each a short
/// statement. Stateless.
final class FinishedReader {
  private static final String BOUNDS =
      "SELECT (SELECT min(position) FROM finished), (SELECT max(position) FROM finished)";

  private static final String WINDOW =
      """
      SELECT position, records FROM finished WHERE position >= ? AND position < ?
      ORDER BY position DESC
      """;

  private FinishedReader() {}

  static FinishedPage read(Connection reading, FinishedQuery query) throws SQLException {
    var search = new FinishedSearch(query);
    long first;
    long to;
    try (PreparedStatement bounds = reading.prepareStatement(BOUNDS);
        ResultSet result = bounds.executeQuery()) {
      result.next();
      first = SqliteRowCodec.time(result, 1, Long.MAX_VALUE);
      to = result.getLong(2) + 1;
    }
    if (!query.before().equals(Position.START)) {
      to = Math.min(to, query.before().key());
    }
    try (PreparedStatement window = reading.prepareStatement(WINDOW)) {
      while (to > first) {
        if (search.isOver()) {
          return search.upTo(new Position(0, to));
        }
        window.setLong(1, to - FinishedSearch.WINDOW);
        window.setLong(2, to);
        try (ResultSet result = window.executeQuery()) {
          while (!search.isFull() && result.next()) {
            search.add(0, result.getLong(1), result.getBytes(2));
          }
        }
        to -= FinishedSearch.WINDOW;
        if (search.isFull()) {
          return search.upTo(new Position(0, to));
        }
      }
    }
    return search.all();
  }
}
