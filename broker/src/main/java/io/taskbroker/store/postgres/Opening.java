package io.taskbroker.store.postgres;

import com.zaxxer.hikari.HikariDataSource;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.Place.Name;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How a database comes to be a [PostgresStore]: its tables are made or checked, a seat is taken,
/// and a run begins. Blocks, and tries again where the server does not answer.
final class Opening {
  private static final Logger LOG = LoggerFactory.getLogger(Opening.class);

  private Opening() {}

  /// @param database its name, which it keeps
  /// @param own the place of what came from no partition
  record Beginning(String database, Place own) {}

  static PostgresStore open(PostgresOptions options) {
    for (int failures = 0; ; failures++) {
      try {
        return openNow(options);
      } catch (StoreException e) {
        if (e.kind() != Kind.TRANSIENT || failures == options.retry().max()) {
          throw new StoreException(Kind.FATAL, String.valueOf(e.getMessage()), e);
        }
        LOG.warn("Tries again in {}: {}", options.retry().delay(), e.getMessage());
        pause(options.retry().delay());
      }
    }
  }

  private static void pause(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException(Kind.FATAL, "Was interrupted while it waited for Postgres", e);
    }
  }

  private static PostgresStore openNow(PostgresOptions options) {
    int lease = Math.toIntExact(options.limits().lease().toMillis());
    Server server = new Server(options.address(), options.login(), lease);
    try {
      Migrations migrations = new Migrations(server, options.address(), options.login());
      if (options.migrator().isPresent()) {
        migrations.run(options.migrator().get());
      }
      try (Connection connection = server.plain(options.login(), options.address().database())) {
        migrations.check(connection);
      }
      return begin(server, options, lease);
    } catch (SQLException e) {
      throw PostgresErrors.translate(server.toString(), "open the store", e);
    }
  }

  static void migrate(PostgresOptions options) {
    Server server = new Server(options.address(), options.login(), 0);
    try {
      new Migrations(server, options.address(), options.login())
          .run(options.migrator().orElse(options.login()));
    } catch (SQLException e) {
      throw PostgresErrors.translate(server.toString(), "migrate the tables", e);
    }
  }

  private static PostgresStore begin(Server server, PostgresOptions options, int lease)
      throws SQLException {
    Seat seat = Seat.take(server, Math.max(2, lease / 1000));
    HikariDataSource pool = server.pool(Seat.channel(seat.run()));
    try (Connection connection = pool.getConnection()) {
      var _ = seat.renew(lease, 0);
      Takeover takeover = new Takeover(connection, seat.run(), lease / 4);
      Place own =
          takeover.take(Name.ofSeat(seat.number()), Integer.MAX_VALUE).orElseThrow().place();
      return new PostgresStore(
          server, options, pool, seat, new Beginning(database(connection), own));
    } catch (SQLException | RuntimeException e) {
      pool.close();
      seat.close();
      throw e;
    }
  }

  private static String database(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("SELECT name FROM taskbroker_store")) {
      result.next();
      return result.getString(1);
    }
  }
}
