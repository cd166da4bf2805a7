package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.delete;
import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.query;
import static io.taskbroker.store.postgres.PostgresSetup.updateStatus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Status;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Number of round trips, and their cost for the server.
@Timeout(240)
final class PostgresCostTest {
  private final Database database = PostgresServer.shared().newDatabase();
  private long number;

  @Test
  void commitIsOneRoundTripWhateverItsSize() throws Exception {
    try (Proxy proxy = new Proxy(database.port());
        PostgresStore store =
            PostgresStore.open(
                PostgresSetup.by(PostgresSetup.options(database), database, proxy.port()))) {
      store.take(partition(0), 1);
      for (int i = 0; i < 6; i++) { // until the driver has prepared all statements
        commit(store, everyKind(1));
      }
      for (int size : List.of(1, 10, 100, 1_000)) {
        int before = proxy.turns();
        commit(store, everyKind(size));
        assertThat(proxy.turns() - before).as("a commit of %s rows", size).isEqualTo(1);
      }
    }
  }

  @Test
  void idleBrokerAsksForItsLeaseAlone() throws Exception {
    Duration lease = Duration.ofMillis(1_500);
    AtomicInteger renewals = new AtomicInteger();
    try (Proxy proxy = new Proxy(database.port());
        PostgresStore store =
            PostgresStore.open(
                PostgresSetup.by(
                    PostgresSetup.options(database, lease, PostgresSetup.LONG),
                    database,
                    proxy.port()))) {
      Service watch =
          store.watch(
              new PostgresStore.Listener() {
                @Override
                public void leased(long until, long wallUntil) {
                  renewals.incrementAndGet();
                }

                @Override
                public void reported(List<RemoteReport> reports) {}
              },
              (_, _) -> {});
      watch.start();
      try {
        commit(store, List.of(insert(store.lastKey() + 1, -1)));
        await().until(() -> renewals.get() >= 4);
        int before = proxy.turns();
        int renewed = renewals.get();
        long _ = store.size();
        await().until(() -> renewals.get() >= renewed + 4);
        int turns = proxy.turns() - before;
        int done = renewals.get() - renewed; // one may be under way at either end
        assertThat(turns).isBetween(done - 1, done + 1);
      } finally {
        watch.stop();
      }
    }
  }

  @Test
  void commitsStayCheapWhileASessionHoldsAnOldSnapshot() throws Exception {
    long early;
    long late;
    try (Connection holder = database.connect()) {
      PostgresStore.migrate(PostgresSetup.options(database));
      for (String table : List.of("taskbroker_activation", "taskbroker_batch")) {
        database.execute("ALTER TABLE " + table + " SET (autovacuum_enabled = false)");
      }
      holder.setAutoCommit(false);
      holder.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      try (Statement statement = holder.createStatement()) {
        statement.execute("SELECT count(*) FROM inflight_taskactivations");
      }
      long _ = churn();
      early = churn();
      for (int i = 0; i < 4; i++) {
        long _ = churn();
      }
      late = churn();
    }
    assertThat(late).as("pages read, first %s", early).isLessThan(early + early / 5);
  }

  /// Inserts and deletes rows: each commit adds some and deletes those of the previous one.
  ///
  /// @return the number of pages that the server read
  private long churn() {
    long before = pages();
    try (PostgresStore store = PostgresStore.open(PostgresSetup.options(database))) {
      store.take(partition(0), 1);
      long key = store.lastKey();
      number = 0;
      List<Change> deletes = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        List<Change> changes = new ArrayList<>(deletes);
        deletes.clear();
        for (int j = 0; j < 30; j++) {
          key++;
          changes.add(insert(key, 0));
          deletes.add(delete(key, 0));
        }
        changes.add(new Change.AdvanceWatermark(partition(0), key, null));
        commit(store, changes);
      }
      commit(store, deletes);
    }
    await().until(() -> query(database, CONNECTIONS).equals("0"));
    return pages() - before;
  }

  private static final String CONNECTIONS =
      """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'taskbroker%'
      """;

  private long pages() {
    return Long.parseLong(
        query(
            database,
            """
            SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit, 0)
              + coalesce(idx_blks_read, 0)) FROM pg_statio_user_tables
            """));
  }

  private List<Change> everyKind(int rows) {
    List<Change> changes = new ArrayList<>();
    long key = 1_000_000 * (number + 1);
    for (int i = 0; i < rows; i++) {
      changes.add(insert(++key, 0));
      changes.add(updateStatus(key, 0, Status.PROCESSING));
      changes.add(new Change.ConfirmOffset(key, "id", PostgresSetup.origin(0), null));
      changes.add(
          new Change.Forward(
              key,
              "id",
              PostgresSetup.origin(0),
              Status.RETRY,
              new byte[10],
              Destination.of("t"),
              null));
      changes.add(new Change.Delete(key, "id" + key, PostgresSetup.origin(0), 5, null));
      changes.add(new Change.AdvanceWatermark(partition(0), key, null));
    }
    return changes;
  }

  private void commit(PostgresStore store, List<Change> changes) {
    assertThat(store.commit(new WriteBatch(++number, changes))).containsOnly(ChangeOutcome.APPLIED);
  }
}
