package io.taskbroker.client.outbox;

import io.taskbroker.client.TaskClient;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/// Program that stops at a statement, prints `here` and waits to be killed, or prints `done`.
///
/// `KilledApplication buy|relay JDBC-URL HOST:PORT STATEMENT before|after NUMBER`: an application
/// that buys, or a relay.
final class KilledApplication {
  private KilledApplication() {}

  public static void main(String[] args) throws Exception {
    DataSource source = source(args[1]);
    OutboxDatabase database;
    try (Connection connection = source.getConnection()) {
      database = OutboxDatabase.of(connection);
    }
    DataSource stopping =
        new CrashingDatabase(
                source,
                Integer.parseInt(args[3]),
                args[4].equals("before"),
                KilledApplication::awaitDeath)
            .dataSource();
    try (TaskClient client = TaskClient.connect(args[2])) {
      if (args[0].equals("buy")) {
        Purchase.buy(stopping, database, client, args[5]);
      } else {
        OutboxRelay.sendAll(stopping, database, client);
      }
    }
    System.out.println("done");
  }

  @SuppressWarnings("unused")
  private static void awaitDeath(Connection connection) throws SQLException {
    System.out.println("here");
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      throw new SQLException("Not killed", e);
    }
  }

  static DataSource source(String url) {
    if (url.startsWith("jdbc:postgresql:")) {
      var source = new PGSimpleDataSource();
      source.setUrl(url);
      return source;
    }
    if (url.startsWith("jdbc:h2:")) {
      var source = new JdbcDataSource();
      source.setURL(url);
      return source;
    }
    var config = new SQLiteConfig();
    config.setBusyTimeout(10_000);
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    var source = new SQLiteDataSource(config);
    source.setUrl(url);
    return source;
  }
}
