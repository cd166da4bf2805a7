package io.taskbroker.store.postgres;

import com.zaxxer.hikari.HikariDataSource;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/// Opens a [PostgresStore]: creates, migrates or checks the tables, acquires a member slot and
/// starts a broker epoch. Blocks, and waits for a server that is not ready yet ([StartWait]).
final class StoreOpener {
  private StoreOpener() {}

  /// @param database the name that the database got when its tables were created
  /// @param own the partition of rows that came from no partition
  record Opened(String database, OwnedPartition own) {}

  static PostgresStore open(PostgresOptions options) {
    return new StartWait(options.retry()).retryUntilReady(() -> openNow(options));
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
        .retryUntilReady(() -> {
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
    MemberSlot memberSlot = MemberSlot.acquire(server, Math.max(2, lease / 1000));
    HikariDataSource pool = server.pool(MemberSlot.channel(memberSlot.epoch()));
    try (Connection connection = pool.getConnection()) {
      var _ = memberSlot.renew(lease, 0);
      Takeover takeover = new Takeover(connection, memberSlot.epoch(), lease / 4);
      OwnedPartition own =
          takeover
              .take(Name.ofMemberSlot(memberSlot.number()), Integer.MAX_VALUE)
              .orElseThrow()
              .ownedPartition();
      return new PostgresStore(
          server, options, pool, memberSlot, new Opened(database(connection), own));
    } catch (SQLException | RuntimeException e) {
      pool.close();
      memberSlot.close();
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
