package io.taskbroker.client.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.client.testing.InlineBroker;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What holds on each database: a call is enqueued exactly if its transaction commits, wherever the
/// application or the relay dies.
@Timeout(240)
abstract class OutboxContract {
  DataSource source;
  OutboxDatabase database;

  /// A new database.
  abstract DataSource newDatabase() throws Exception;

  @BeforeEach
  void createTables() throws Exception {
    source = newDatabase();
    database = Purchase.createTables(source);
  }

  final void buy(DataSource from, InlineBroker broker, String number) throws SQLException {
    Purchase.buy(from, database, broker.client(), number);
  }

  private long count(String table) throws SQLException {
    return Purchase.count(source, table);
  }

  @Test
  void whereverTheApplicationDiesTheCallsAreEnqueuedExactlyIfItCommitted() throws Exception {
    letTheApplicationDie(CrashingDatabase.OF_CLIENT);
  }

  @Test
  void whereverTheRelayDiesEachCallIsEnqueuedOnce() throws Exception {
    letTheRelayDie(CrashingDatabase.OF_CLIENT);
  }

  final void letTheApplicationDie(CrashingDatabase.Death death) throws Exception {
    int committed = 0;
    int runs = 0;
    for (boolean before : new boolean[] {true, false}) {
      for (int deadAt = 1; ; deadAt++) {
        var crashing = new CrashingDatabase(source, deadAt, before, death);
        String number = UUID.randomUUID().toString();
        try (var broker = new InlineBroker()) {
          boolean died = false;
          try {
            buy(crashing.dataSource(), broker, number);
          } catch (CrashingDatabase.Killed | SQLException | OutboxException e) {
            died = true;
          }
          long orders = count("orders");
          boolean kept = orders > committed;
          committed = (int) orders;
          OutboxRelay.sendAll(source, database, broker.client());
          assertThat(broker.enqueued(Purchase.SEND))
              .as("died at %d, before: %s", deadAt, before)
              .hasSize(kept ? 2 : 0);
          assertThat(kept || died).isTrue();
          runs++;
          if (!died) {
            break;
          }
        }
      }
    }
    assertThat(runs).isGreaterThanOrEqualTo(9);
    assertThat(count("taskbroker_outbox")).isZero();
  }

  final void letTheRelayDie(CrashingDatabase.Death death) throws Exception {
    int runs = 0;
    for (boolean before : new boolean[] {true, false}) {
      for (int deadAt = 1; ; deadAt++) {
        try (var broker = new InlineBroker()) {
          buy(source, broker, UUID.randomUUID().toString());
          var crashing = new CrashingDatabase(source, deadAt, before, death);
          boolean died = false;
          try {
            OutboxRelay.sendAll(crashing.dataSource(), database, broker.client());
          } catch (CrashingDatabase.Killed | OutboxException e) {
            died = true;
          }
          OutboxRelay.sendAll(source, database, broker.client());
          assertThat(broker.enqueued(Purchase.SEND)).as("died at %d", deadAt).hasSize(2);
          assertThat(count("taskbroker_outbox")).isZero();
          runs++;
          if (!died) {
            break;
          }
        }
      }
    }
    assertThat(runs).isGreaterThanOrEqualTo(9);
  }

  @Test
  void theRelayBringsWhatCommitsWhileItRuns() throws Exception {
    try (var broker = new InlineBroker();
        var relay = OutboxRelay.start(source, database, broker.client(), Duration.ofMillis(20))) {
      for (int i = 0; i < 20; i++) {
        buy(source, broker, "order-" + i);
      }
      await().atMost(Duration.ofSeconds(60)).until(() -> count("taskbroker_outbox") == 0);
      assertThat(broker.enqueuedCalls()).isEqualTo(40);
      assertThat(relay).isNotNull();
    }
  }

  @Test
  void aRowThatIsNoCallStaysWithItsErrorAndHoldsNothingUp() throws Exception {
    try (var broker = new InlineBroker();
        Connection connection = source.getConnection()) {
      try (var insert =
          connection.prepareStatement(
              "INSERT INTO taskbroker_outbox (" + database.call() + ") VALUES (?)")) {
        insert.setBytes(1, new byte[] {1, 2, 3});
        insert.executeUpdate();
      }
      buy(source, broker, "order");
      OutboxRelay.sendAll(source, database, broker.client());
      assertThat(broker.enqueued(Purchase.SEND))
          .isEqualTo(List.of(new Purchase.Receipt("order"), new Purchase.Receipt("order")));
      try (var statement = connection.createStatement();
          var row = statement.executeQuery("SELECT error FROM taskbroker_outbox")) {
        assertThat(row.next()).isTrue();
        assertThat(row.getString(1)).startsWith("Not a call");
        assertThat(row.next()).isFalse();
      }
    }
  }
}
