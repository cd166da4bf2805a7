package io.taskbroker.client.outbox;

import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/// The transaction of an application: an order and two calls.
final class Purchase {
  record Receipt(String order) {}

  static final Task<Receipt> SEND = Task.of("send-receipt", Receipt.class);
  static final int CALLS = 2;

  private Purchase() {}

  static OutboxDatabase createTables(DataSource source) throws SQLException {
    try (Connection connection = source.getConnection();
        var statement = connection.createStatement()) {
      OutboxDatabase database = OutboxDatabase.of(connection);
      database.createTables(connection);
      database.createTables(connection);
      statement.execute("CREATE TABLE orders (number VARCHAR(50) PRIMARY KEY)");
      return database;
    }
  }

  static void buy(DataSource source, OutboxDatabase database, TaskClient client, String number)
      throws SQLException {
    Outbox outbox = new Outbox(client, database);
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      try (var insert = connection.prepareStatement("INSERT INTO orders VALUES (?)")) {
        insert.setString(1, number);
        insert.executeUpdate();
      }
      outbox.enqueue(connection, SEND.with(new Receipt(number)));
      outbox.enqueue(connection, SEND.with(new Receipt(number)).idempotencyKey("second-" + number));
      connection.commit();
    }
  }

  static long count(DataSource source, String table) throws SQLException {
    try (Connection connection = source.getConnection();
        var statement = connection.createStatement();
        var row = statement.executeQuery("SELECT count(*) FROM " + table)) {
      row.next();
      return row.getLong(1);
    }
  }
}
