package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.PostgresOptions.Address;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.regex.Pattern;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.output.MigrateResult;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings the tables up to date: makes the database and the tables, or takes over those that the
/// reference filled (reference-spec 4.2).
final class Migrations {
  /// The newest of the scripts in the folder `migrations`.
  static final int VERSION = 3;

  private static final Logger LOG = LoggerFactory.getLogger(Migrations.class);

  /// The class of the advisory lock of whoever migrates ("tbmg").
  private static final int LOCKS = 0x74626D67;

  private static final String HISTORY = "taskbroker_schema_history";
  private static final Pattern SAFE_NAME = Pattern.compile("[A-Za-z0-9_]+");

  private static final String NEWEST =
      """
      SELECT max(version::int) FROM taskbroker_schema_history WHERE success AND version IS NOT NULL
      """;

  private final Server server;
  private final Address address;
  private final Login login;

  Migrations(Server server, Address address, Login login) {
    this.server = server;
    this.address = address;
    this.login = login;
  }

  /// Does what is still to be done. Brokers that do it at the same time wait for each other.
  ///
  /// @throws StoreException of kind `FATAL` if it cannot be done; a script is done whole or not
  void run(Login migrator) throws SQLException {
    createDatabase(migrator);
    PGSimpleDataSource source = source(migrator);
    try (Connection alone = server.plain(migrator, address.database());
        Statement statement = alone.createStatement()) {
      // Flyway's own lock does not cover its first steps.
      statement.execute("SELECT pg_advisory_lock(%d, 0)".formatted(LOCKS));
      MigrateResult result =
          Flyway.configure(Migrations.class.getClassLoader())
              .dataSource(source)
              .locations("classpath:io/taskbroker/store/postgres/migrations")
              .table(HISTORY)
              .baselineOnMigrate(true) // there may be tables of others, and those of the reference
              .baselineVersion("0")
              .load()
              .migrate();
      if (result.migrationsExecuted > 0) {
        LOG.info(
            "Brought the tables of {} up to date: version {}", address, result.targetSchemaVersion);
      }
    } catch (FlywayException e) {
      throw failed(e);
    }
    if (!migrator.username().equals(login.username())) {
      grant(migrator);
    }
  }

  /// @throws StoreException of kind `FATAL` if the tables are older or newer than this broker
  void check(Connection connection) throws SQLException {
    int found;
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(NEWEST)) {
      found = result.next() ? result.getInt(1) : 0;
    } catch (SQLException e) {
      if (!PostgresErrors.state(e).equals("42P01")) {
        throw e;
      }
      found = 0;
    }
    if (found != VERSION) {
      throw new StoreException(
          Kind.FATAL,
          found < VERSION
              ? "The tables of %s have version %d, and this broker needs %d: run it once with --run migrations, or set store.pg.run_migrations"
                  .formatted(address, found, VERSION)
              : "The tables of %s have version %d, and this broker knows only %d: run the newer broker"
                  .formatted(address, found, VERSION),
          null);
    }
  }

  private PGSimpleDataSource source(Login migrator) throws SQLException {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(server.url(address.database()));
    Properties properties = server.properties(migrator);
    for (String name : properties.stringPropertyNames()) {
      PGProperty property = PGProperty.forName(name);
      if (property != null) { // others, such as the reference may have, mean nothing to the driver
        source.setProperty(property, properties.getProperty(name));
      }
    }
    return source;
  }

  private StoreException failed(FlywayException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql) {
        return PostgresErrors.translate("Postgres " + address, "migrate the tables", sql);
      }
    }
    return new StoreException(
        Kind.FATAL, "Could not migrate the tables of %s: %s".formatted(address, e), e);
  }

  private void createDatabase(Login migrator) throws SQLException {
    try {
      server.plain(migrator, address.database()).close();
      return; // it is there
    } catch (SQLException e) {
      if (!PostgresErrors.state(e).equals("3D000")) {
        throw e;
      }
    }
    if (!SAFE_NAME.matcher(address.database()).matches()) {
      throw new StoreException(
          Kind.FATAL,
          "The database '%s' does not exist, and is not made: its name has other characters than letters, digits and underscores"
              .formatted(address.database()),
          null);
    }
    try (Connection connection = server.plain(migrator, address.maintenanceDatabase());
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE \"" + address.database() + '"');
      LOG.info("Made the database {}", address);
    } catch (SQLException e) {
      // Another broker may have made it, just now.
      if (!PostgresErrors.state(e).equals("42P04") && !PostgresErrors.state(e).equals("23505")) {
        throw e;
      }
    }
  }

  /// Lets the broker's user work with tables that another user made.
  private void grant(Login migrator) throws SQLException {
    try (Connection connection = server.plain(migrator, address.database());
        Statement statement = connection.createStatement()) {
      String user = quoted(connection, login.username());
      statement.execute(
          """
          GRANT SELECT, INSERT, UPDATE, DELETE ON inflight_taskactivations, taskbroker_store, \
          taskbroker_run, taskbroker_place, taskbroker_batch, taskbroker_watermark, \
          taskbroker_tombstone, taskbroker_report, taskbroker_schema_history TO %s;
          GRANT USAGE ON SEQUENCE taskbroker_run_number TO %s
          """
              .formatted(user, user));
    }
  }

  private static String quoted(Connection connection, String name) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("SELECT quote_ident(?)")) {
      statement.setString(1, name);
      try (ResultSet result = statement.executeQuery()) {
        result.next();
        return result.getString(1);
      }
    }
  }
}
