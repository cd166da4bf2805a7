package io.taskbroker.store.postgres;

import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/// Member slot: the smallest number that no other broker of the database holds, so that a restarted
/// broker gets its old name back. It is an advisory lock on a dedicated connection, and ends with
/// it (H23). The connection also renews the lease and receives notifications. Confined to one
/// thread.
final class MemberSlot {
  private static final int MAX_SLOTS = 10_000;

  private static final String TRY_LOCK =
      "SELECT pg_try_advisory_lock(%d, ?)".formatted(Sql.MEMBER_SLOT_LOCKS);

  private static final String UNLOCK =
      "SELECT pg_advisory_unlock(%d, ?)".formatted(Sql.MEMBER_SLOT_LOCKS);

  private static final String NEXT_EPOCH = "SELECT nextval('taskbroker_broker_epoch')";

  private static final String RENEW =
      """
      INSERT INTO taskbroker_broker AS b
        (epoch, member_slot, lease_until, bytes, version, started_at, renewed_at)
      VALUES (?, ?, clock_timestamp() + ? * interval '1 ms', ?, ?, clock_timestamp(),
        clock_timestamp())
      ON CONFLICT (epoch) DO UPDATE SET lease_until = excluded.lease_until,
        bytes = excluded.bytes, renewed_at = excluded.renewed_at
      RETURNING (
        SELECT coalesce(sum(o.bytes), 0) FROM taskbroker_broker o
        WHERE o.epoch <> b.epoch AND o.lease_until > clock_timestamp()),
        NOT EXISTS (
          SELECT FROM taskbroker_broker o
          WHERE o.epoch = b.epoch AND o.lease_until > clock_timestamp())
      """;

  /// Number of later epochs of the member slot.
  private static final String COUNT_LATER_EPOCHS =
      "SELECT count(*) FROM taskbroker_broker WHERE member_slot = ? AND epoch > ?";

  private static final String TERMINATE_FORMER =
      """
      SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
      WHERE pid = ? AND application_name = ?
      """;

  private final Server server;
  private final long epoch;
  private final int number;
  private final int socketSeconds;
  private @Nullable Connection connection;
  private int backendPid;

  private MemberSlot(Server server, int socketSeconds) throws SQLException {
    this.server = server;
    this.socketSeconds = socketSeconds;
    Connection first = server.connect("taskbroker", socketSeconds);
    connection = first;
    try {
      try (Statement statement = first.createStatement();
          ResultSet result = statement.executeQuery(NEXT_EPOCH)) {
        result.next();
        epoch = result.getLong(1);
      }
      int free = 0;
      while (!lock(first, free)) {
        if (++free == MAX_SLOTS) {
          throw new StoreException(
              Kind.FATAL, "More brokers than " + MAX_SLOTS + " on " + server, null);
        }
      }
      number = free;
      startSession(first);
    } catch (SQLException | RuntimeException e) {
      Server.close(first);
      throw e;
    }
  }

  /// Starts a broker epoch on the smallest free member slot.
  static MemberSlot acquire(Server server, int socketSeconds) throws SQLException {
    return new MemberSlot(server, socketSeconds);
  }

  long epoch() {
    return epoch;
  }

  int number() {
    return number;
  }

  /// Name of an epoch: the application name of its connections, and its notification channel.
  static String channel(long epoch) {
    return "taskbroker_" + epoch;
  }

  /// The connection, reopened if it was lost.
  ///
  /// @throws StoreException of kind `FATAL` if another broker took the member slot
  Connection connection() throws SQLException {
    Connection current = connection;
    if (current != null) {
      return current;
    }
    Connection next = server.connect("taskbroker", socketSeconds);
    try {
      if (!lock(next, number)) {
        if (query(next, COUNT_LATER_EPOCHS, number, epoch) > 0) {
          throw new StoreException(
              Kind.FATAL,
              "Another broker took the member slot %d of %s while this one was unreachable"
                  .formatted(number, server),
              null);
        }
        // The lock belongs to this broker's former connection, which the server still considers
        // alive.
        query(next, TERMINATE_FORMER, backendPid, channel(epoch));
        throw new SQLException("The former connection of the member slot is still open", "08006");
      }
      startSession(next);
    } catch (SQLException | RuntimeException e) {
      Server.close(next);
      throw e;
    }
    connection = next;
    return next;
  }

  /// Closes a failed connection.
  void discardConnection() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      Server.close(current);
    }
  }

  /// Result of a renewal.
  ///
  /// @param bytesOfOthers the size of the rows of all other brokers
  /// @param hadLapsed whether the previous lease had ended by the clock of the server
  record Renewal(long bytesOfOthers, boolean hadLapsed) {}

  /// Renews the lease.
  ///
  /// @param bytes the size of this broker's rows
  Renewal renew(long leaseMillis, long bytes) throws SQLException {
    try (PreparedStatement renew = connection().prepareStatement(RENEW)) {
      new Binder(renew)
          .set(epoch)
          .set(number)
          .set(leaseMillis)
          .set(bytes)
          .set(BuildInfo.current().version());
      try (ResultSet result = renew.executeQuery()) {
        result.next();
        return new Renewal(result.getLong(1), result.getBoolean(2));
      }
    }
  }

  /// Ends the lease and releases the member slot, if the server is reachable.
  void close() {
    Connection last = connection;
    connection = null;
    if (last == null) {
      return;
    }
    connection = last;
    try {
      var _ = renew(0, 0);
      query(last, UNLOCK, number);
    } catch (SQLException | StoreException _) {
      // The lock ends with the connection, and the lease expires.
    } finally {
      connection = null;
      Server.close(last);
    }
  }

  private void startSession(Connection next) throws SQLException {
    try (Statement statement = next.createStatement()) {
      statement.execute(
          "SET application_name = '" + channel(epoch) + "'; LISTEN " + channel(epoch));
    }
    backendPid = next.unwrap(PGConnection.class).getBackendPID();
  }

  private static boolean lock(Connection connection, int number) throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement(TRY_LOCK)) {
      new Binder(lock).set(number);
      try (ResultSet result = lock.executeQuery()) {
        result.next();
        return result.getBoolean(1);
      }
    }
  }

  private static long query(Connection connection, String sql, Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet result = statement.executeQuery()) {
        result.next();
        return result.getMetaData().getColumnType(1) == java.sql.Types.BIT ? 0 : result.getLong(1);
      }
    }
  }
}
