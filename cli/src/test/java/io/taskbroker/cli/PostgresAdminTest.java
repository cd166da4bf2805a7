package io.taskbroker.cli;

import io.taskbroker.testkit.PostgresServer;

/// [AdminContract] of a broker on Postgres.
final class PostgresAdminTest extends AdminContract {
  @Override
  BrokerSetup store(BrokerSetup setup) {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    return setup.with(
        "store",
        """
        {adapter: postgres, finished: {retention_sec: 3600}, sqlite: {path: "%s"}, \
        pg: {run_migrations: true, host: %s, port: %d, \
        username: %s, password: "%s", database_name: %s}}\
        """
            .formatted(
                setup.store(),
                database.host(),
                database.port(),
                database.username(),
                database.password(),
                database.name()));
  }

  @Override
  String name() {
    return "postgres";
  }
}
