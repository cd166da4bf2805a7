package io.taskbroker.client.outbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;

/// Database product of an outbox, with its dialect of SQL.
public enum OutboxDatabase {
  /// Commits wake the relay by NOTIFY.
  POSTGRES(
      """
      CREATE TABLE IF NOT EXISTS taskbroker_outbox (
        position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        call BYTEA NOT NULL,
        error TEXT)
      """,
      "INSERT INTO taskbroker_outbox_leader (id) VALUES (1) ON CONFLICT DO NOTHING",
      "SELECT id FROM taskbroker_outbox_leader WHERE id = 1 FOR UPDATE SKIP LOCKED"),
  /// MySQL 8.0.1 or later, MariaDB 10.6 or later.
  MYSQL(
      """
      CREATE TABLE IF NOT EXISTS taskbroker_outbox (
        position BIGINT AUTO_INCREMENT PRIMARY KEY,
        `call` MEDIUMBLOB NOT NULL,
        error TEXT)
      """,
      "INSERT IGNORE INTO taskbroker_outbox_leader (id) VALUES (1)",
      "SELECT id FROM taskbroker_outbox_leader WHERE id = 1 FOR UPDATE SKIP LOCKED"),
  H2(
      """
      CREATE TABLE IF NOT EXISTS taskbroker_outbox (
        position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        call VARBINARY(2000000) NOT NULL,
        error VARCHAR(4000))
      """,
      "MERGE INTO taskbroker_outbox_leader (id) VALUES (1)",
      "SELECT id FROM taskbroker_outbox_leader WHERE id = 1 FOR UPDATE SKIP LOCKED"),
  /// It has no row locks: run one relay. A second one would send calls twice, and the broker would
  /// recognise them by their ids.
  SQLITE(
      """
      CREATE TABLE IF NOT EXISTS taskbroker_outbox (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        call BLOB NOT NULL,
        error TEXT)
      """,
      "INSERT OR IGNORE INTO taskbroker_outbox_leader (id) VALUES (1)",
      "SELECT id FROM taskbroker_outbox_leader WHERE id = 1");

  /// Channel of NOTIFY.
  static final String CHANNEL = "taskbroker_outbox";

  private final String table;
  private final String leader;
  private final String lock;

  OutboxDatabase(String table, String leader, String lock) {
    this.table = table;
    this.leader = leader;
    this.lock = lock;
  }

  /// The database of a connection, by the name of its product.
  ///
  /// @throws OutboxException if it is another, or the connection is broken
  public static OutboxDatabase of(Connection connection) {
    try {
      String name = connection.getMetaData().getDatabaseProductName().toLowerCase(Locale.ROOT);
      return switch (name) {
        case "postgresql" -> POSTGRES;
        case "mysql", "mariadb" -> MYSQL;
        case "h2" -> H2;
        case "sqlite" -> SQLITE;
        default ->
            throw new IllegalArgumentException(
                "No outbox for " + name + ": it needs Postgres, MySQL, MariaDB, H2 or SQLite");
      };
    } catch (SQLException e) {
      throw new OutboxException("Could not ask for the name of the database", e);
    }
  }

  /// Statements that create the tables if they are missing, for the migrations of the application.
  public List<String> createTables() {
    return List.of(
        table.strip(),
        "CREATE TABLE IF NOT EXISTS taskbroker_outbox_leader (id INTEGER PRIMARY KEY)",
        leader);
  }

  /// Creates the tables if they are missing.
  ///
  /// @throws OutboxException if that fails
  public void createTables(Connection connection) {
    try (Statement statement = connection.createStatement()) {
      for (String each : createTables()) {
        statement.execute(each);
      }
    } catch (SQLException e) {
      throw new OutboxException("Could not create the tables of the outbox", e);
    }
  }

  /// No row if another relay has the lock.
  String lock() {
    return lock;
  }

  String call() {
    return this == MYSQL ? "`call`" : "call";
  }
}
