package io.taskbroker.cli;

/// [AdminContract] of a broker with a SQLite file.
final class SqliteAdminTest extends AdminContract {
  @Override
  BrokerSetup store(BrokerSetup setup) {
    return setup.withStore("finished: {retention_sec: 3600}");
  }

  @Override
  String name() {
    return "sqlite";
  }
}
