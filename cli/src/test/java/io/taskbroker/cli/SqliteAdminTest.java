package io.taskbroker.cli;

/// [AdminContract] of a broker with a SQLite file.
final class SqliteAdminTest extends AdminContract {
  @Override
  BrokerSetup store(BrokerSetup setup) {
    return setup;
  }

  @Override
  String name() {
    return "sqlite";
  }
}
