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

/// Reads what can be read of a damaged database: rows in the order of their keys up to a page that
/// cannot be read, then from behind it on, and backwards to it. What is read may be stale, or
/// lacking. Confined to one thread.
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

  /// @param now when what may have been handed out counts as overdue, milliseconds since the epoch
  Salvage(Connection connection, Consumer<Row> found, long now) {
    this.connection = connection;
    this.found = found;
    this.now = now;
  }

  /// Reads the rows.
  void rows() {
    long key = 0;
    Scan scan = scan(FORWARD, key, Long.MAX_VALUE);
    while (!scan.whole) {
      key = Math.max(key, scan.last);
      long gap = key;
      long step = 1;
      scan = scan(FORWARD, key + step, Long.MAX_VALUE);
      while (!scan.whole && scan.first == Row.NONE && step < Long.MAX_VALUE / 4 - key) {
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

  /// Reads rows from behind a key on, or backwards from before it to behind another, or to where
  /// that fails.
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
            break; // pages that lead in a circle are damage, too
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
      return; // no such status, headers that are none
    }
    Activation activation = row.activation();
    if (row.forwardTo() == null && !isOf(activation)) {
      return;
    }
    boolean ambiguous = row.forwardTo() == null && activation.atMostOnce();
    found.accept(ambiguous ? handedOut(row) : remembered(row));
  }

  private static boolean isOf(Activation activation) {
    try {
      return TaskActivation.parseFrom(activation.payload()).getId().equals(activation.id());
    } catch (InvalidProtocolBufferException _) {
      return false;
    }
  }

  /// Its record will be read from Kafka again, and is to be known then, also if it is done by then:
  /// as if its id were derived, it leaves a tombstone.
  private static Row remembered(Row row) {
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
            true);
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

  /// What was done since is not known, so that it may have been handed out (G3).
  private Row handedOut(Row row) {
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

  /// The tombstones that stand, if all can be read.
  List<Tombstone> tombstones() {
    try {
      return new SqlitePageReader(new Statements(connection), codec).tombstones(now);
    } catch (SQLException _) {
      return List.of();
    }
  }

  /// @param first the first key that was read, [Row#NONE] if none was
  /// @param whole whether it ended where it was to
  private record Scan(long first, long last, boolean whole) {}
}
