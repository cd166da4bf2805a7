package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresPooler;
import io.taskbroker.testkit.PostgresPooler.Mode;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Brokers behind a connection pooler.
@Timeout(240)
final class PoolerTest {
  private final PostgresServer server = PostgresServer.shared();
  private final Database database = server.unmadeDatabase();

  @Test
  void h23PoolerInTransactionModeIsRefused() {
    server.makeDatabase(database);
    try (var pooler = PostgresPooler.start(database.port(), Mode.TRANSACTION)) {
      assertRefused(pooler);
    }
    assertNothingWasWritten();
  }

  @Test
  void h23PoolerThatSwitchesSessionsPerTransactionIsRefused() throws SQLException {
    server.makeDatabase(database);
    try (var pooler = PostgresPooler.start(database.port(), Mode.TRANSACTION_IN_TURN)) {
      openTransactionsAtOnce(pooler, 4);
      assertRefused(pooler);
    }
    assertNothingWasWritten();
  }

  @Test
  void h23PoolerInSessionModeWorksAndMayCreateTheDatabase() {
    try (var pooler = PostgresPooler.start(database.port(), Mode.SESSION);
        PostgresStore first = PostgresStore.open(through(pooler));
        PostgresStore second = PostgresStore.open(through(pooler))) {
      assertThat(first.name()).endsWith("-0");
      assertThat(second.name()).endsWith("-1");
      first.take(partition(0), 1);
      first.commit(new WriteBatch(1, List.of(insert(1, 0))));
      assertThat(first.load(0, 10)).hasSize(1);
    }
  }

  @Test
  void missingDatabaseBehindAPoolerIsFatalWithoutMigrations() {
    try (var pooler = PostgresPooler.start(database.port(), Mode.SESSION)) {
      PostgresOptions options = through(pooler);
      var bound =
          new PostgresOptions(
              options.address(),
              options.login(),
              Optional.empty(),
              options.limits(),
              new PostgresOptions.Retry(3, PostgresSetup.LONG));
      assertThatThrownBy(() -> PostgresStore.open(bound))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FATAL))
          .hasMessageContainingAll("does not exist", "08P01");
    }
  }

  private void assertRefused(PostgresPooler pooler) {
    assertThatThrownBy(() -> PostgresStore.open(through(pooler)))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FATAL))
        .hasMessageContainingAll("pooler", "pool_mode = session");
  }

  private void assertNothingWasWritten() {
    assertThat(
            PostgresSetup.query(
                database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
        .isEqualTo("0");
  }

  private PostgresOptions through(PostgresPooler pooler) {
    return PostgresSetup.by(PostgresSetup.options(database), database, pooler.port());
  }

  /// Opens so many transactions at once, so that the pool keeps as many sessions.
  private void openTransactionsAtOnce(PostgresPooler pooler, int count) throws SQLException {
    if (count == 0) {
      return;
    }
    String url = "jdbc:postgresql://127.0.0.1:" + pooler.port() + "/" + database.name();
    try (Connection connection =
            DriverManager.getConnection(url, database.username(), database.password());
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("SELECT 1");
      openTransactionsAtOnce(pooler, count - 1);
      connection.commit();
    }
  }
}
