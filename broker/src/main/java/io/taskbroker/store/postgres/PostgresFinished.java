package io.taskbroker.store.postgres;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.store.FinishedCodec;
import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.FinishedSearch;
import io.taskbroker.store.RowBrowser.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reader of the records of finished tasks of all brokers: epoch by epoch, the newest first, and
/// backwards in windows of their positions, each a short statement. Stateless.
final class PostgresFinished {
  /// The epochs of all records, newest first, found by jumps in the primary key.
  private static final String EPOCHS =
      """
      WITH RECURSIVE e(epoch) AS (
        (SELECT f.epoch FROM taskbroker_finished f ORDER BY f.epoch LIMIT 1)
        UNION ALL
        SELECT (SELECT f.epoch FROM taskbroker_finished f WHERE f.epoch > e.epoch
          ORDER BY f.epoch LIMIT 1)
        FROM e WHERE e.epoch IS NOT NULL
      )
      SELECT e.epoch, oldest.position, newest.position + newest.bytes,
        EXISTS (SELECT FROM taskbroker_broker b
          WHERE b.epoch = e.epoch AND b.lease_until > clock_timestamp())
      FROM e
      CROSS JOIN LATERAL (SELECT f.position FROM taskbroker_finished f
        WHERE f.epoch = e.epoch ORDER BY f.position LIMIT 1) oldest
      CROSS JOIN LATERAL (SELECT f.position, f.bytes FROM taskbroker_finished f
        WHERE f.epoch = e.epoch ORDER BY f.position DESC LIMIT 1) newest
      ORDER BY e.epoch DESC
      """;

  private static final String WINDOW =
      """
      SELECT position, records FROM taskbroker_finished
      WHERE epoch = ? AND position >= ? AND position < ? ORDER BY position DESC
      """;

  private static final String FIND =
      """
      SELECT records FROM taskbroker_finished WHERE id = ? ORDER BY epoch DESC, position DESC LIMIT 1
      """;

  private PostgresFinished() {}

  /// Records of one broker epoch.
  ///
  /// @param from,to bounds of their positions
  /// @param alive whether that broker has its lease
  record Epoch(long number, long from, long to, boolean alive) {}

  /// The epochs that have records, the newest first.
  static List<Epoch> epochs(Connection connection) throws SQLException {
    List<Epoch> epochs = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(EPOCHS)) {
      while (result.next()) {
        epochs.add(
            new Epoch(
                result.getLong(1), result.getLong(2), result.getLong(3), result.getBoolean(4)));
      }
    }
    return epochs;
  }

  /// The record of a task that its client asked for.
  static Optional<FinishedTask> asked(Connection connection, String id) throws SQLException {
    try (PreparedStatement find = connection.prepareStatement(FIND)) {
      new Binder(find).set(id);
      try (ResultSet result = find.executeQuery()) {
        return result.next()
            ? FinishedCodec.records(result.getBytes(1), true).stream()
                .map(FinishedCodec.Placed::task)
                .findFirst()
            : Optional.empty();
      }
    }
  }

  static FinishedPage read(Connection reading, FinishedQuery query) throws SQLException {
    var search = new FinishedSearch(query);
    Position before = query.before();
    for (Epoch epoch : epochs(reading)) {
      int number = (int) epoch.number();
      long to = epoch.to();
      if (!before.equals(Position.START) && number >= before.partitionId()) {
        to = number > before.partitionId() ? epoch.from() : Math.min(to, before.key());
      }
      while (to > epoch.from()) {
        if (search.isOver()) {
          return search.upTo(new Position(number, to));
        }
        window(reading, epoch.number(), to, search);
        to -= FinishedSearch.WINDOW;
        if (search.isFull()) {
          return search.upTo(new Position(number, to));
        }
      }
    }
    return search.all();
  }

  private static void window(Connection reading, long epoch, long to, FinishedSearch search)
      throws SQLException {
    try (PreparedStatement window = reading.prepareStatement(WINDOW)) {
      new Binder(window).set(epoch).set(to - FinishedSearch.WINDOW).set(to);
      try (ResultSet result = window.executeQuery()) {
        while (!search.isFull() && result.next()) {
          search.add((int) epoch, result.getLong(1), result.getBytes(2));
        }
      }
    }
  }
}
