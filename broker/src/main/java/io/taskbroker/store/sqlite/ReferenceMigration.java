package io.taskbroker.store.sqlite;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Migration of the reference's table in a file that this broker takes over, from any of its
/// versions (reference-spec 4.2). Its rows become rows of this store, with keys in the order
/// (`added_at`, `rowid`).
final class ReferenceMigration {
  static final String NAME = "inflight_taskactivations";

  /// Topic that the reference assumes for rows, since it stores none.
  private static final String TOPIC = "taskworker";

  /// Columns in reading order, each with the default for files from before the migration that added
  /// it.
  private static final List<Column> COLUMNS =
      List.of(
          new Column("id", "''"),
          new Column("activation", "x''"),
          new Column("partition", "0"),
          new Column("offset", "0"),
          new Column("added_at", "0"),
          new Column("received_at", "t.added_at"),
          new Column("processing_attempts", "0"),
          new Column("expires_at", "NULL"),
          new Column("delay_until", "NULL"),
          new Column("processing_deadline_duration", "0"),
          new Column("processing_deadline", "NULL"),
          new Column("claim_expires_at", "NULL"),
          new Column("status", "''"),
          new Column("at_most_once", "0"),
          new Column("application", "''"),
          new Column("namespace", "''"),
          new Column("taskname", "''"),
          new Column("on_attempts_exceeded", "1"));

  /// Keys assigned in advance, so that full rows need no sorting.
  private static final String KEYS =
      "CREATE TEMP TABLE taken_over (key INTEGER PRIMARY KEY, old INTEGER NOT NULL)";

  private static final String ASSIGN_KEYS =
      """
      INSERT INTO temp.taken_over (key, old)
      SELECT row_number() OVER (ORDER BY added_at, rowid), rowid FROM main.inflight_taskactivations
      """;

  private ReferenceMigration() {}

  /// Copies all rows and drops the table and its indexes, in the caller's transaction.
  ///
  /// @return the number of rows, which is the largest key
  /// @throws StoreException of kind `FATAL` if a row has an unknown status
  static long migrate(Connection connection, Path file) throws SQLException {
    SqliteRowCodec codec = new SqliteRowCodec();
    long rows = 0;
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(KEYS);
      statement.executeUpdate(ASSIGN_KEYS);
      try (ResultSet old = statement.executeQuery(select(existingColumns(connection)));
          PreparedStatement insert = connection.prepareStatement(SqliteRowCodec.INSERT)) {
        while (old.next()) {
          codec.bind(insert, read(old, file));
          rows += insert.executeUpdate();
        }
      }
      statement.executeUpdate("DROP TABLE temp.taken_over");
      statement.executeUpdate("DROP TABLE " + NAME);
    }
    return rows;
  }

  private static Set<String> existingColumns(Connection connection) throws SQLException {
    Set<String> names = new HashSet<>();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery("SELECT name FROM pragma_table_info('%s')".formatted(NAME))) {
      while (result.next()) {
        names.add(result.getString(1));
      }
    }
    return names;
  }

  private static String select(Set<String> existing) {
    StringBuilder select = new StringBuilder("SELECT taken_over.key");
    for (Column column : COLUMNS) {
      select.append(", ").append(column.expression(existing));
    }
    // CROSS JOIN fixes the loop order, and with it the row order.
    return select
        .append(" FROM temp.taken_over CROSS JOIN main.inflight_taskactivations AS t")
        .append(" ON t.rowid = taken_over.old ORDER BY taken_over.key")
        .toString();
  }

  private static Row read(ResultSet old, Path file) throws SQLException {
    String id = old.getString(2);
    byte[] payload = old.getBytes(3);
    Activation activation =
        new Activation(
            id,
            old.getString(16),
            old.getString(17),
            old.getString(18),
            payload,
            new Origin(TOPIC, old.getInt(4), old.getLong(5)),
            milliseconds(old, 7, 0),
            milliseconds(old, 9, Activation.NEVER),
            milliseconds(old, 10, 0),
            Math.clamp(old.getLong(11), 0, Integer.MAX_VALUE),
            FailurePolicy.ofNumber(old.getInt(19)),
            old.getInt(15) != 0,
            isRetry(payload));
    return new Row(
        old.getLong(1),
        activation,
        status(old.getString(14), id, file),
        milliseconds(old, 6, 0),
        old.getInt(8),
        milliseconds(old, 13, Row.NONE),
        milliseconds(old, 12, Row.NONE),
        false,
        // The file does not name the topic, so no commit could confirm the offset (H2). The
        // reference marks tasks before it delivers them and would deliver unmarked ones after a
        // restart; so does this broker.
        true,
        Row.NONE,
        null);
  }

  private static Status status(@Nullable String name, String id, Path file) {
    for (Status status : Status.values()) {
      if (status.storedName().equals(name)) {
        return status;
      }
    }
    throw new StoreException(
        Kind.FATAL,
        "Could not take over %s, which is unchanged: the activation '%s' has the status '%s', which no broker writes; correct or delete that row"
            .formatted(file, id, name),
        null);
  }

  private static long milliseconds(ResultSet result, int index, long none) throws SQLException {
    long seconds = result.getLong(index);
    if (seconds == 0 && result.wasNull()) {
      return none;
    }
    // Clamped: such a distant time means never.
    return Math.clamp(seconds, Long.MIN_VALUE / 1000, Long.MAX_VALUE / 1000) * 1000;
  }

  /// Whether the row is a retry: the id of a retry leaves a tombstone (H8). False if the payload
  /// does not decode.
  private static boolean isRetry(byte[] payload) {
    try {
      return TaskActivation.parseFrom(payload).getRetryState().getAttempts() != 0;
    } catch (InvalidProtocolBufferException _) {
      return false;
    }
  }

  /// @param absent default expression if the column is missing or NULL
  private record Column(String name, String absent) {
    String expression(Set<String> existing) {
      return existing.contains(name) ? "coalesce(t.\"%s\", %s)".formatted(name, absent) : absent;
    }
  }
}
