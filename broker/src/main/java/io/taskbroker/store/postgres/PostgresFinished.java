package io.taskbroker.store.postgres;

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
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/// Reader of the records of finished tasks of all brokers: epoch by epoch, the newest first, and
/// backwards in windows of their positions, each a short statement. Stateless.
final class PostgresFinished {
  private static final long FIRST_WINDOW = 1 << 20;
  private static final long LARGEST_WINDOW = 1 << 26;
  private static final long SHORT_NANOS = 20_000_000;

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

  private static final String COLUMNS =
      """
      SELECT position, id, first_id, application, namespace, taskname, topic, partition, \
      record_offset, received_at, outcome, delivered_at, ended_at, kept_until, deliveries, worker, \
      message, history, octet_length(result), asked, epoch FROM taskbroker_finished WHERE \
      """;

  private static final String ASKED =
      """
      SELECT outcome, ended_at, message, result FROM taskbroker_finished
      WHERE asked AND id = ? ORDER BY ended_at DESC LIMIT 1
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

  /// The record of a task that its client asked for, as far as clients see it.
  static Optional<FinishedTask> asked(Connection connection, String id) throws SQLException {
    try (PreparedStatement find = connection.prepareStatement(ASKED)) {
      new Binder(find).set(id);
      try (ResultSet result = find.executeQuery()) {
        if (!result.next()) {
          return Optional.empty();
        }
        String message = result.getString(3);
        return Optional.of(
            new FinishedTask(
                Outcome.valueOf(result.getString(1)),
                "",
                Row.NONE,
                result.getLong(2),
                result.getLong(2),
                0,
                "",
                message == null ? "" : message,
                result.getBytes(4),
                new byte[0],
                true));
      }
    }
  }

  /// Reads a page.
  ///
  /// @param end when it ends, full or not, as [System#nanoTime]
  static FinishedPage read(Connection reading, FinishedQuery query, long end) throws SQLException {
    List<Found> found = new ArrayList<>();
    Position before = query.before();
    for (Epoch epoch : epochs(reading)) {
      long to = epoch.to();
      if (!before.equals(Position.START)) {
        if (epoch.number() > before.partitionId()) {
          continue;
        }
        to = epoch.number() == before.partitionId() ? Math.min(to, before.key()) : to;
      }
      long size = FIRST_WINDOW;
      while (to > epoch.from()) {
        long started = System.nanoTime();
        if (started - end > 0) {
          return new FinishedPage(found, Optional.of(new Position((int) epoch.number(), to)));
        }
        window(reading, query, epoch.number(), to - size, to, found);
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

  private static void window(
      Connection reading, FinishedQuery query, long epoch, long from, long to, List<Found> found)
      throws SQLException {
    var values = new ArrayList<Object>();
    String conditions = conditions(query, epoch, from, to, values);
    try (PreparedStatement select =
        reading.prepareStatement(COLUMNS + conditions + " ORDER BY position DESC LIMIT ?")) {
      values.add(query.limit() - found.size());
      for (int i = 0; i < values.size(); i++) {
        select.setObject(i + 1, values.get(i));
      }
      try (ResultSet result = select.executeQuery()) {
        while (result.next()) {
          found.add(found(result));
        }
      }
    }
  }

  private static String conditions(
      FinishedQuery query, long epoch, long from, long to, List<Object> values) {
    var conditions = new StringJoiner(" AND ");
    conditions.add("epoch = ? AND position >= ? AND position < ?");
    values.addAll(List.of(epoch, from, to));
    query.id().ifPresent(id -> {
      conditions.add("(id = ? OR first_id = ?)");
      values.addAll(List.of(id, id));
    });
    equal(conditions, values, "application", query.application());
    equal(conditions, values, "namespace", query.namespace());
    equal(conditions, values, "taskname", query.taskname());
    equal(conditions, values, "outcome", query.outcome().map(Enum::name));
    conditions.add("ended_at >= ? AND ended_at < ?");
    values.addAll(List.of(query.endedFrom(), query.endedTo()));
    query.message().ifPresent(text -> {
      conditions.add("strpos(lower(message), lower(?)) > 0");
      values.add(text);
    });
    return conditions.toString();
  }

  private static void equal(
      StringJoiner conditions, List<Object> values, String column, Optional<String> value) {
    value.ifPresent(it -> {
      conditions.add(column + " = ?");
      values.add(it);
    });
  }

  private static Found found(ResultSet result) throws SQLException {
    long delivered = result.getLong(12);
    long deliveredAt = result.wasNull() ? Row.NONE : delivered;
    var task =
        new FinishedTask(
            Outcome.valueOf(result.getString(11)),
            text(result, 3),
            deliveredAt,
            result.getLong(13),
            result.getLong(14),
            result.getInt(15),
            text(result, 16),
            text(result, 17),
            null,
            result.getBytes(18),
            result.getBoolean(20));
    return new Found(
        new Position(result.getInt(21), result.getLong(1)),
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
