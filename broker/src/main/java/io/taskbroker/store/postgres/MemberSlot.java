package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/// A small number that one broker of a database has at a time, so that it has the same name again
/// as soon as its process runs again: an advisory lock on a connection of its own, gone with it
/// (H23). The connection also renews the lease, and hears of reports. Confined to one thread.
final class MemberSlot {
  private static final int SEATS = 10_000;

  private static final String FREE = "SELECT pg_try_advisory_lock(%d, ?)".formatted(Sql.SEAT_LOCKS);

  private static final String GIVE_UP =
      "SELECT pg_advisory_unlock(%d, ?)".formatted(Sql.SEAT_LOCKS);

  private static final String NEXT_RUN = "SELECT nextval('taskbroker_run_number')";

  private static final String RENEW =
      """
      INSERT INTO taskbroker_run AS r (run, seat, lease_until, bytes)
      VALUES (?, ?, clock_timestamp() + ? * interval '1 ms', ?)
      ON CONFLICT (run) DO UPDATE SET lease_until = excluded.lease_until, bytes = excluded.bytes
      RETURNING (
        SELECT coalesce(sum(o.bytes), 0) FROM taskbroker_run o
        WHERE o.run <> r.run AND o.lease_until > clock_timestamp()),
        NOT EXISTS (
          SELECT FROM taskbroker_run o WHERE o.run = r.run AND o.lease_until > clock_timestamp())
      """;

  /// Of runs of the seat that came later than this one, and of what this broker left behind.
  private static final String LATER =
      "SELECT count(*) FROM taskbroker_run WHERE seat = ? AND run > ?";

  private static final String END_FORMER =
      """
      SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
      WHERE pid = ? AND application_name = ?
      """;

  private final Server server;
  private final long run;
  private final int number;
  private final int socketSeconds;
  private @Nullable Connection connection;
  private int process;

  private MemberSlot(Server server, int socketSeconds) throws SQLException {
    this.server = server;
    this.socketSeconds = socketSeconds;
    Connection first = server.connect("taskbroker", socketSeconds);
    connection = first;
    try {
      try (Statement statement = first.createStatement();
          ResultSet result = statement.executeQuery(NEXT_RUN)) {
        result.next();
        run = result.getLong(1);
      }
      int free = 0;
      while (!lock(first, free)) {
        if (++free == SEATS) {
          throw new StoreException(
              Kind.FATAL, "More brokers than " + SEATS + " on " + server, null);
        }
      }
      number = free;
      begin(first);
    } catch (SQLException | RuntimeException e) {
      Server.close(first);
      throw e;
    }
  }

  /// Begins a run of a broker, on the smallest free seat.
  static MemberSlot take(Server server, int socketSeconds) throws SQLException {
    return new MemberSlot(server, socketSeconds);
  }

  long run() {
    return run;
  }

  int number() {
    return number;
  }

  /// The name of the run in the server's statistics, and that of its channel.
  static String channel(long run) {
    return "taskbroker_" + run;
  }

  /// The connection, made again if it was lost.
  ///
  /// @throws StoreException of kind `FATAL` if another broker has the seat by now
  Connection connection() throws SQLException {
    Connection current = connection;
    if (current != null) {
      return current;
    }
    Connection next = server.connect("taskbroker", socketSeconds);
    try {
      if (!lock(next, number)) {
        if (query(next, LATER, number, run) > 0) {
          throw new StoreException(
              Kind.FATAL,
              "Another broker took the seat %d of %s while this one could not be heard of"
                  .formatted(number, server),
              null);
        }
        // It is this broker's own connection that has the lock, and was not told that it is lost.
        query(next, END_FORMER, process, channel(run));
        throw new SQLException("The former connection of the seat still lives", "08006");
      }
      begin(next);
    } catch (SQLException | RuntimeException e) {
      Server.close(next);
      throw e;
    }
    connection = next;
    return next;
  }

  /// Gives up a connection that failed.
  void lost() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      Server.close(current);
    }
  }

  /// A lease that was renewed.
  ///
  /// @param bytesOfOthers the size of the rows of all other brokers
  /// @param hadEnded whether the one before had ended by the clock of the server
  record Renewal(long bytesOfOthers, boolean hadEnded) {}

  /// Renews the lease.
  ///
  /// @param bytes the size of this broker's rows
  Renewal renew(long leaseMillis, long bytes) throws SQLException {
    try (PreparedStatement renew = connection().prepareStatement(RENEW)) {
      new Binder(renew).set(run).set(number).set(leaseMillis).set(bytes);
      try (ResultSet result = renew.executeQuery()) {
        result.next();
        return new Renewal(result.getLong(1), result.getBoolean(2));
      }
    }
  }

  /// Ends lease and seat, if the server can be told.
  void close() {
    Connection last = connection;
    connection = null;
    if (last == null) {
      return;
    }
    connection = last;
    try {
      var _ = renew(0, 0);
      query(last, GIVE_UP, number);
    } catch (SQLException | StoreException _) {
      // The lock ends with the connection, and the lease by itself.
    } finally {
      connection = null;
      Server.close(last);
    }
  }

  private void begin(Connection next) throws SQLException {
    try (Statement statement = next.createStatement()) {
      statement.execute("SET application_name = '" + channel(run) + "'; LISTEN " + channel(run));
    }
    process = next.unwrap(PGConnection.class).getBackendPID();
  }

  private static boolean lock(Connection connection, int number) throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement(FREE)) {
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
