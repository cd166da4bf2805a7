package io.taskbroker.config;

import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.integer;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.secretText;
import static io.taskbroker.config.KeyType.text;

import java.util.Optional;

/// The keys of an area: The store in a Postgres server.
final class PostgresKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Postgres", "The store in a Postgres server");

  private static final String SO_FAR = "Postgres is not supported so far";

  static final Key<BrokerConfig, Boolean> PG_RUN_MIGRATIONS =
      TABLE.key(
          "store.pg.run_migrations",
          bool(),
          false,
          KeyDoc.unused("Whether the broker brings the tables up to date at start", SO_FAR),
          c -> c.store().postgres().runMigrations());

  static final Key<BrokerConfig, String> PG_HOST =
      TABLE.key(
          "store.pg.host",
          filledText(),
          "sentry-postgres-1",
          KeyDoc.unused("The host of Postgres", SO_FAR),
          c -> c.store().postgres().address().host());

  static final Key<BrokerConfig, Integer> PG_PORT =
      TABLE.key(
          "store.pg.port",
          integer(1, 65_535),
          5_432,
          KeyDoc.unused("The port of Postgres", SO_FAR),
          c -> c.store().postgres().address().port());

  static final Key<BrokerConfig, String> PG_USERNAME =
      TABLE.key(
          "store.pg.username",
          text(),
          "postgres",
          KeyDoc.unused("Who works with the tables", SO_FAR),
          c -> c.store().postgres().login().username());

  static final Key<BrokerConfig, Secret> PG_PASSWORD =
      TABLE.key(
          "store.pg.password",
          secretText(),
          new Secret("password"),
          KeyDoc.unused("The password of username", SO_FAR),
          c -> c.store().postgres().login().password());

  static final Key<BrokerConfig, String> PG_DDL_USERNAME =
      TABLE.key(
          "store.pg.ddl_username",
          text(),
          "postgres",
          KeyDoc.unused("Who changes the tables", SO_FAR),
          c -> c.store().postgres().migrator().username());

  static final Key<BrokerConfig, Secret> PG_DDL_PASSWORD =
      TABLE.key(
          "store.pg.ddl_password",
          secretText(),
          new Secret("password"),
          KeyDoc.unused("The password of ddl_username", SO_FAR),
          c -> c.store().postgres().migrator().password());

  static final Key<BrokerConfig, String> PG_DATABASE_NAME =
      TABLE.key(
          "store.pg.database_name",
          filledText(),
          "default",
          KeyDoc.unused("The name of the database", SO_FAR),
          c -> c.store().postgres().database());

  static final Key<BrokerConfig, String> PG_DEFAULT_DATABASE_NAME =
      TABLE.key(
          "store.pg.default_database_name",
          filledText(),
          "postgres",
          KeyDoc.unused("The database to connect to in order to create database_name", SO_FAR),
          c -> c.store().postgres().maintenanceDatabase());

  static final Key<BrokerConfig, Optional<String>> PG_QUERY_PARAMS =
      TABLE.key(
          "store.pg.query_params",
          optional(text()),
          Optional.empty(),
          KeyDoc.unused("Parameters of the connection, such as k=v&k2=v2", SO_FAR),
          c -> c.store().postgres().address().queryParams());

  private PostgresKeys() {}
}
