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
import java.util.Optional;
import java.util.regex.Pattern;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.output.MigrateResult;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Schema migrations: creates the database and the tables, or converts the tables of the reference
/// (reference-spec 4.2).
final class Migrations {
  /// Version of the newest script in the folder `migrations`.
  static final int VERSION = 8;

  private static final Logger LOG = LoggerFactory.getLogger(Migrations.class);

  /// Class of the advisory lock that serializes migrations ("tbmg").
  private static final int MIGRATION_LOCK = 0x74626D67;

  private static final String HISTORY = "taskbroker_schema_history";
  private static final String REFERENCE_TABLE = "inflight_taskactivations";
  private static final Pattern SAFE_NAME = Pattern.compile("[A-Za-z0-9_]+");

  private final Server server;
  private final Address address;
  private final Login login;

  Migrations(Server server, Address address, Login login) {
    this.server = server;
    this.address = address;
    this.login = login;
  }

  /// Applies the pending migrations. Concurrent brokers wait for each other.
  ///
  /// @throws StoreException of kind `FATAL` if a migration fails; each script is atomic
  void run(Login migrator) throws SQLException {
    PostgresSchema schema;
    try (Connection alone = server.longRunning(migrator, address.database());
        Statement statement = alone.createStatement()) {
      // Flyway's own lock does not cover its first steps.
      statement.execute("SELECT pg_advisory_lock(%d, 0)".formatted(MIGRATION_LOCK));
      schema = schema(alone);
      MigrateResult result =
          Flyway.configure(Migrations.class.getClassLoader())
              .dataSource(new MigratorDataSource(server.in(schema), migrator, address.database()))
              .defaultSchema(schema.name())
              .createSchemas(false)
              .locations("classpath:io/taskbroker/store/postgres/migrations")
              .table(HISTORY)
              .baselineOnMigrate(
                  true) // the schema may have other tables, such as those of the reference
              .baselineVersion("0")
              .load()
              .migrate();
      if (result.migrationsExecuted > 0) {
        LOG.info(
            "Migrated the tables of {} in schema {} to version {}",
            address,
            schema.name(),
            result.targetSchemaVersion);
      }
    } catch (FlywayException e) {
      throw translate(e);
    }
    if (!migrator.username().equals(login.username())) {
      grant(migrator, schema);
    }
  }

  /// Schema of the existing tables of this broker or of the reference, or else the schema for new
  /// tables.
  private static PostgresSchema schema(Connection connection) throws SQLException {
    Optional<PostgresSchema> known = PostgresSchema.of(connection, HISTORY);
    if (known.isEmpty()) {
      known = PostgresSchema.of(connection, REFERENCE_TABLE);
    }
    return known.isPresent() ? known.get() : PostgresSchema.ofNewTables(connection);
  }

  /// @return the schema of the tables
  /// @throws StoreException of kind `FATAL` if the tables are older or newer than this broker
  PostgresSchema check() throws SQLException {
    try (Connection connection = server.longRunning(login, address.database())) {
      PostgresSchema schema =
          PostgresSchema.of(connection, HISTORY)
              .orElseThrow(() ->
                  new StoreException(
                      Kind.FATAL,
                      "No schema of %s has the tables of a broker: run the broker once with --run migrations, or set store.pg.run_migrations"
                          .formatted(address),
                      null));
      check(schema, version(connection, schema));
      return schema;
    }
  }

  private static int version(Connection connection, PostgresSchema schema) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                """
                SELECT max(version::int) FROM %s.taskbroker_schema_history
                WHERE success AND version IS NOT NULL
                """
                    .formatted(schema.quoted()))) {
      return result.next() ? result.getInt(1) : 0;
    }
  }

  private void check(PostgresSchema schema, int found) {
    if (found != VERSION) {
      throw new StoreException(
          Kind.FATAL,
          found < VERSION
              ? "The tables of %s in schema %s have version %d, and this broker needs %d: run the broker once with --run migrations, or set store.pg.run_migrations"
                  .formatted(address, schema.name(), found, VERSION)
              : "The tables of %s in schema %s have version %d, and this broker supports only %d: run the newer broker"
                  .formatted(address, schema.name(), found, VERSION),
          null);
    }
  }

  private StoreException translate(FlywayException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql) {
        return PostgresErrors.translate("Postgres " + address, "migrate the tables", sql);
      }
    }
    return new StoreException(
        Kind.FATAL, "Could not migrate the tables of %s: %s".formatted(address, e), e);
  }

  /// Creates the database if it does not exist.
  ///
  /// @throws StoreException of kind `FATAL` if it cannot be created
  void createDatabase(Login migrator) throws SQLException {
    try {
      server.plain(migrator, address.database()).close();
      return; // it exists
    } catch (SQLException e) {
      if (!PostgresErrors.isMissing(e, address.database())) {
        throw e;
      }
    }
    if (!SAFE_NAME.matcher(address.database()).matches()) {
      throw new StoreException(
          Kind.FATAL,
          "The database '%s' does not exist and cannot be created: its name may have only letters, digits and underscores"
              .formatted(address.database()),
          null);
    }
    try (Connection connection = server.longRunning(migrator, address.maintenanceDatabase());
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE \"" + address.database() + '"' + inUtf8(statement));
      LOG.info("Created the database {}", address);
    } catch (SQLException e) {
      // Another broker may have created it concurrently.
      if (!PostgresErrors.state(e).equals("42P04") && !PostgresErrors.state(e).equals("23505")) {
        throw e;
      }
    }
  }

  /// Clause that makes a new database UTF-8 where the template is not. `C` is the only locale that
  /// goes with every encoding.
  private static String inUtf8(Statement statement) throws SQLException {
    try (ResultSet result =
        statement.executeQuery(
            "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'")) {
      return result.next() && !result.getString(1).equals("UTF8")
          ? " TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
          : "";
    }
  }

  /// Grants the broker's user access to tables that the migrator owns.
  private void grant(Login migrator, PostgresSchema schema) throws SQLException {
    try (Connection connection = server.in(schema).longRunning(migrator, address.database());
        Statement statement = connection.createStatement()) {
      String user = quoted(connection, login.username());
      statement.execute(
          """
          GRANT SELECT, INSERT, UPDATE, DELETE ON taskbroker_activation, taskbroker_store, \
          taskbroker_broker, taskbroker_owned_partition, taskbroker_batch, \
          taskbroker_watermark, taskbroker_tombstone, taskbroker_remote_report, \
          taskbroker_finished, taskbroker_rules_version, taskbroker_schedule, \
          taskbroker_schema_history TO %s;
          GRANT SELECT ON inflight_taskactivations TO %s;
          GRANT USAGE ON SEQUENCE taskbroker_broker_epoch TO %s;
          GRANT USAGE ON SCHEMA %s TO %s
          """
              .formatted(user, user, user, schema.quoted(), user));
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

  /// Data source for Flyway: long-running sessions of the migrator.
  private static final class MigratorDataSource extends PGSimpleDataSource {
    private static final long serialVersionUID = 1;

    private final transient Server server;
    private final transient Login migrator;
    private final String database;

    MigratorDataSource(Server server, Login migrator, String database) {
      this.server = server;
      this.migrator = migrator;
      this.database = database;
    }

    @Override
    public Connection getConnection() throws SQLException {
      return server.longRunning(migrator, database);
    }
  }
}
