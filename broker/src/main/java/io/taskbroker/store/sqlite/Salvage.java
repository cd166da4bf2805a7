package io.taskbroker.store.sqlite;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.ActivationStore.Tombstone;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Consumer;

/// Reader of a damaged database: scans rows in key order up to an unreadable page, resumes behind
/// it, and scans backwards to it. Rows may be stale or missing. Confined to one thread.
final class Salvage {
  private static final String FORWARD =
      "SELECT %s FROM activation NOT INDEXED WHERE key > ? ORDER BY key"
          .formatted(SqliteRowCodec.COLUMNS);
  private static final String BACKWARD =
      "SELECT %s FROM activation NOT INDEXED WHERE key < ? ORDER BY key DESC"
          .formatted(SqliteRowCodec.COLUMNS);

  private final Connection connection;
  private final SqliteRowCodec codec = new SqliteRowCodec();
  private final Consumer<Row> found;
  private final long now;

  /// @param now deadline of at-most-once tasks that may have been delivered, milliseconds since the
  ///   epoch
  Salvage(Connection connection, Consumer<Row> found, long now) {
    this.connection = connection;
    this.found = found;
    this.now = now;
  }

  /// Reads all readable rows.
  void rows() {
    long key = 0;
    Scan scan = scan(FORWARD, key, Long.MAX_VALUE);
    while (!scan.complete) {
      key = Math.max(key, scan.last);
      long gap = key;
      long step = 1;
      scan = scan(FORWARD, key + step, Long.MAX_VALUE);
      while (!scan.complete && scan.first == Row.NONE && step < Long.MAX_VALUE / 4 - key) {
        step *= 2;
        scan = scan(FORWARD, key + step, Long.MAX_VALUE);
      }
      boolean behind = scan.first != Row.NONE;
      Scan _ = scan(BACKWARD, behind ? scan.first : Long.MAX_VALUE, gap);
      if (!behind) {
        return;
      }
    }
  }

  /// Scans rows forwards from behind a key, or backwards from before it down to `to`, until the end
  /// or a failure.
  private Scan scan(String query, long from, long to) {
    long first = Row.NONE;
    long last = Row.NONE;
    try (PreparedStatement statement = connection.prepareStatement(query)) {
      statement.setLong(1, from);
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          long key = result.getLong(1);
          if ((query.equals(BACKWARD) && key <= to)
              || (last != Row.NONE && (key > last) != query.equals(FORWARD))) {
            break; // a cycle of pages is damage, too
          }
          first = first == Row.NONE ? key : first;
          last = key;
          read(result);
        }
      }
      return new Scan(first, last, true);
    } catch (SQLException _) {
      return new Scan(first, last, false);
    }
  }

  private void read(ResultSet result) throws SQLException {
    Row row;
    try {
      row = codec.read(result);
    } catch (RuntimeException _) {
      return; // unknown status or malformed headers
    }
    Activation activation = row.activation();
    if (row.forwardTo() == null && !payloadHasId(activation)) {
      return;
    }
    boolean ambiguous = row.forwardTo() == null && activation.atMostOnce();
    found.accept(ambiguous ? asDelivered(row) : withTombstone(row));
  }

  private static boolean payloadHasId(Activation activation) {
    try {
      return TaskActivation.parseFrom(activation.payload()).getId().equals(activation.id());
    } catch (InvalidProtocolBufferException _) {
      return false;
    }
  }

  /// Marks the id as derived, so that the finished row leaves a tombstone: its record is read from
  /// Kafka again and must be recognised, even if it is finished by then.
  private static Row withTombstone(Row row) {
    Activation activation = row.activation();
    var derived =
        new Activation(
            activation.id(),
            activation.application(),
            activation.namespace(),
            activation.taskname(),
            activation.payload(),
            activation.origin(),
            activation.receivedAt(),
            activation.expiresAt(),
            activation.delayUntil(),
            activation.deadlineSeconds(),
            activation.failurePolicy(),
            activation.atMostOnce(),
            true,
            activation.priority());
    return new Row(
        row.key(),
        derived,
        row.status(),
        row.addedAt(),
        row.attempts(),
        row.claimExpiresAt(),
        row.processingDeadline(),
        row.deadlineExtended(),
        row.committed(),
        row.parkedUntil(),
        row.forwardTo());
  }

  /// Its later history is unknown, so it counts as delivered (G3).
  private Row asDelivered(Row row) {
    return new Row(
        row.key(),
        row.activation(),
        Status.PROCESSING,
        row.addedAt(),
        row.attempts(),
        Row.NONE,
        Math.max(now, row.processingDeadline()),
        row.deadlineExtended(),
        true,
        Row.NONE,
        null);
  }

  /// Unexpired tombstones; empty if they cannot all be read.
  List<Tombstone> tombstones() {
    try {
      return new SqlitePageReader(new Statements(connection), codec).tombstones(now);
    } catch (SQLException _) {
      return List.of();
    }
  }

  /// @param first first key read, [Row#NONE] if none
  /// @param last last key read, [Row#NONE] if none
  /// @param complete whether the scan ended without a failure
  private record Scan(long first, long last, boolean complete) {}
}
