package io.taskbroker.client.outbox;

import io.taskbroker.testkit.PostgresServer;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

final class PostgresOutboxTest extends RowLockContract {
  @Override
  DataSource newDatabase() {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    var source = new PGSimpleDataSource();
    source.setServerNames(new String[] {database.host()});
    source.setPortNumbers(new int[] {database.port()});
    source.setDatabaseName(database.name());
    source.setUser(database.username());
    source.setPassword(database.password());
    return source;
  }
}
