package io.taskbroker.client.outbox;

import java.nio.file.Path;
import javax.sql.DataSource;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

final class SqliteOutboxTest extends OutboxContract {
  @TempDir Path dir;

  @Override
  DataSource newDatabase() {
    var config = new SQLiteConfig();
    config.setBusyTimeout(10_000);
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    var source = new SQLiteDataSource(config);
    source.setUrl("jdbc:sqlite:" + dir.resolve("application.sqlite"));
    return source;
  }
}
