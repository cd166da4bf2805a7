package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.RowNames;
import io.taskbroker.store.StoredDestination;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;

/// Codec between a [Row] and the table `activation`. Confined to the thread of its store.
///
/// Absent times are NULL in the table. The payload is the last column, so that other columns are
/// read without it.
final class SqliteRowCodec {
  /// Columns in binding and reading order.
  static final String COLUMNS =
      """
      key, id, application, parked_until, status, attempts, claim_expires_at, \
      processing_deadline, deadline_extended, committed, at_most_once, derived, failure_policy, \
      bucket, deadline_seconds, received_at, expires_at, delay_until, added_at, topic, \
      partition_number, record_offset, namespace, taskname, forward_topic, forward_cluster, \
      forward_headers, priority, payload\
      """;

  static final String INSERT =
      "INSERT INTO activation (%s) VALUES (?%s) ON CONFLICT (key) DO NOTHING"
          .formatted(COLUMNS, ", ?".repeat(28));

  final RowNames names = new RowNames();

  void bind(PreparedStatement insert, Row row) throws SQLException {
    Activation activation = row.activation();
    insert.setLong(1, row.key());
    insert.setString(2, activation.id());
    insert.setString(3, activation.application());
    bindTime(insert, 4, row.parkedUntil(), Row.NONE);
    insert.setString(5, row.status().storedName());
    insert.setInt(6, row.attempts());
    bindTime(insert, 7, row.claimExpiresAt(), Row.NONE);
    bindTime(insert, 8, row.processingDeadline(), Row.NONE);
    insert.setInt(9, flag(row.deadlineExtended()));
    insert.setInt(10, flag(row.committed()));
    insert.setInt(11, flag(activation.atMostOnce()));
    insert.setInt(12, flag(activation.derived()));
    insert.setInt(13, activation.failurePolicy().number());
    insert.setInt(14, activation.bucket());
    insert.setInt(15, activation.deadlineSeconds());
    insert.setLong(16, activation.receivedAt());
    bindTime(insert, 17, activation.expiresAt(), Activation.NEVER);
    bindTime(insert, 18, activation.delayUntil(), 0);
    insert.setLong(19, row.addedAt());
    insert.setString(20, activation.origin().topic());
    insert.setInt(21, activation.origin().partition());
    insert.setLong(22, activation.origin().offset());
    insert.setString(23, activation.namespace());
    insert.setString(24, activation.taskname());
    Destination forwardTo = row.forwardTo();
    insert.setString(25, forwardTo == null ? null : forwardTo.topic());
    insert.setString(26, forwardTo == null ? null : StoredDestination.cluster(forwardTo));
    insert.setString(27, forwardTo == null ? null : StoredDestination.headers(forwardTo));
    insert.setInt(28, activation.priority());
    insert.setBytes(29, activation.payload());
  }

  /// Reads the row of a result with [#COLUMNS].
  Row read(ResultSet result) throws SQLException {
    Activation activation =
        new Activation(
            result.getString(2),
            names.shared(result.getString(3)),
            names.shared(result.getString(23)),
            names.shared(result.getString(24)),
            result.getBytes(29),
            new Origin(names.shared(result.getString(20)), result.getInt(21), result.getLong(22)),
            result.getLong(16),
            time(result, 17, Activation.NEVER),
            time(result, 18, 0),
            result.getInt(15),
            FailurePolicy.ofNumber(result.getInt(13)),
            result.getInt(11) != 0,
            result.getInt(12) != 0,
            (byte) result.getInt(28));
    return new Row(
        result.getLong(1),
        activation,
        Status.ofStoredName(result.getString(5)),
        result.getLong(19),
        result.getInt(6),
        time(result, 7, Row.NONE),
        time(result, 8, Row.NONE),
        result.getInt(9) != 0,
        result.getInt(10) != 0,
        time(result, 4, Row.NONE),
        StoredDestination.of(result.getString(25), result.getString(26), result.getString(27)));
  }

  /// Binds a time; `none` becomes NULL.
  static void bindTime(PreparedStatement statement, int index, long time, long none)
      throws SQLException {
    if (time == none) {
      statement.setNull(index, Types.INTEGER);
    } else {
      statement.setLong(index, time);
    }
  }

  /// Reads a time; NULL becomes `none`.
  static long time(ResultSet result, int index, long none) throws SQLException {
    long time = result.getLong(index);
    return time == 0 && result.wasNull() ? none : time;
  }

  static int flag(boolean set) {
    return set ? 1 : 0;
  }
}
