package io.taskbroker.store.postgres;

import com.zaxxer.hikari.HikariDataSource;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/// How a database comes to be a [PostgresStore]: its tables are made or checked, a seat is taken,
/// and a run begins. Blocks, and waits for a server that does not answer yet ([StartWait]).
final class StoreOpener {
  private StoreOpener() {}

  /// @param database its name, which it keeps
  /// @param own the place of what came from no partition
  record Beginning(String database, OwnedPartition own) {}

  static PostgresStore open(PostgresOptions options) {
    return new StartWait(options.retry()).until(() -> openNow(options));
  }

  private static PostgresStore openNow(PostgresOptions options) {
    int lease = Math.toIntExact(options.limits().lease().toMillis());
    Server server = new Server(options.address(), options.login(), lease);
    try {
      Migrations migrations = new Migrations(server, options.address(), options.login());
      if (options.migrator().isPresent()) {
        migrations.createDatabase(options.migrator().get());
      }
      SessionCheck.require(server, options.migrator().orElse(options.login()));
      if (options.migrator().isPresent()) {
        migrations.run(options.migrator().get());
      }
      return begin(server.in(migrations.check()), options, lease);
    } catch (SQLException e) {
      throw PostgresErrors.translate(server.toString(), "open the store", e);
    }
  }

  static void migrate(PostgresOptions options) {
    new StartWait(options.retry())
        .until(() -> {
          migrateNow(options);
          return true;
        });
  }

  private static void migrateNow(PostgresOptions options) {
    Login migrator = options.migrator().orElse(options.login());
    Server server = new Server(options.address(), options.login(), 0);
    try {
      Migrations migrations = new Migrations(server, options.address(), options.login());
      migrations.createDatabase(migrator);
      SessionCheck.require(server, migrator);
      migrations.run(migrator);
    } catch (SQLException e) {
      throw PostgresErrors.translate(server.toString(), "migrate the tables", e);
    }
  }

  private static PostgresStore begin(Server server, PostgresOptions options, int lease)
      throws SQLException {
    MemberSlot seat = MemberSlot.take(server, Math.max(2, lease / 1000));
    HikariDataSource pool = server.pool(MemberSlot.channel(seat.run()));
    try (Connection connection = pool.getConnection()) {
      var _ = seat.renew(lease, 0);
      Takeover takeover = new Takeover(connection, seat.run(), lease / 4);
      OwnedPartition own =
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
