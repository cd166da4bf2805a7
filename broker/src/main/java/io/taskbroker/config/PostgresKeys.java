package io.taskbroker.config;

import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.integer;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.secretText;
import static io.taskbroker.config.KeyType.text;

import java.util.Optional;

/// Configuration keys: Postgres store.
final class PostgresKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Postgres", "The store in a Postgres server");

  static final Key<BrokerConfig, Boolean> PG_RUN_MIGRATIONS =
      TABLE.key(
          "store.pg.run_migrations",
          bool(),
          false,
          "Whether the broker migrates the tables at start",
          c -> c.store().postgres().runMigrations());

  static final Key<BrokerConfig, String> PG_HOST =
      TABLE.key(
          "store.pg.host",
          filledText(),
          "sentry-postgres-1",
          "Host of the Postgres server",
          c -> c.store().postgres().address().host());

  static final Key<BrokerConfig, Integer> PG_PORT =
      TABLE.key(
          "store.pg.port",
          integer(1, 65_535),
          5_432,
          "Port of the Postgres server",
          c -> c.store().postgres().address().port());

  static final Key<BrokerConfig, String> PG_USERNAME =
      TABLE.key(
          "store.pg.username",
          filledText(),
          "postgres",
          "User that reads and writes the tables",
          c -> c.store().postgres().login().username());

  static final Key<BrokerConfig, Secret> PG_PASSWORD =
      TABLE.key(
          "store.pg.password",
          secretText(),
          new Secret("password"),
          "Password of username",
          c -> c.store().postgres().login().password());

  static final Key<BrokerConfig, String> PG_DDL_USERNAME =
      TABLE.key(
          "store.pg.ddl_username",
          filledText(),
          "postgres",
          "User that migrates the tables",
          c -> c.store().postgres().migrator().username());

  static final Key<BrokerConfig, Secret> PG_DDL_PASSWORD =
      TABLE.key(
          "store.pg.ddl_password",
          secretText(),
          new Secret("password"),
          "Password of ddl_username",
          c -> c.store().postgres().migrator().password());

  static final Key<BrokerConfig, String> PG_DATABASE_NAME =
      TABLE.key(
          "store.pg.database_name",
          filledText(),
          "default",
          "Database name",
          c -> c.store().postgres().database());

  static final Key<BrokerConfig, String> PG_DEFAULT_DATABASE_NAME =
      TABLE.key(
          "store.pg.default_database_name",
          filledText(),
          "postgres",
          "Database to connect to in order to create database_name",
          c -> c.store().postgres().maintenanceDatabase());

  static final Key<BrokerConfig, Optional<String>> PG_QUERY_PARAMS =
      TABLE.key(
          "store.pg.query_params",
          optional(text()),
          Optional.empty(),
          "Connection parameters in libpq syntax, such as"
              + " sslmode=verify-full&sslrootcert=/etc/ca.pem; no passwords",
          c -> c.store().postgres().address().queryParams());

  private PostgresKeys() {}
}
