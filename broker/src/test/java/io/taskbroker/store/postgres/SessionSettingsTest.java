package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.delete;
import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Hostile settings of a database or a role.
@Timeout(240)
final class SessionSettingsTest {
  private static final Map<String, String> HOSTILE =
      Map.ofEntries(
          Map.entry("idle_session_timeout", "'300ms'"),
          Map.entry("idle_in_transaction_session_timeout", "'1ms'"),
          Map.entry("statement_timeout", "'200ms'"),
          Map.entry("lock_timeout", "'1ms'"),
          Map.entry("synchronous_commit", "off"),
          Map.entry("default_transaction_isolation", "serializable"),
          Map.entry("default_transaction_read_only", "on"),
          Map.entry("standard_conforming_strings", "off"),
          Map.entry("array_nulls", "off"),
          Map.entry("enable_indexscan", "off"),
          Map.entry("search_path", "nowhere"),
          Map.entry("\"TimeZone\"", "'Asia/Kathmandu'"),
          Map.entry("\"DateStyle\"", "'SQL, DMY'"),
          Map.entry("bytea_output", "escape"));

  private final Database database = PostgresServer.shared().newDatabase();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();

  @Test
  void g1SessionsOverrideTimeoutsAndAsynchronousCommit() throws SQLException {
    PostgresOptions options =
        PostgresSetup.options(database, Duration.ofSeconds(3), PostgresSetup.LONG);
    PostgresStore.migrate(options); // the migrator needs a schema on its search path
    applyHostileSettings();

    try (PostgresStore store = PostgresStore.open(options)) {
      var watch =
          store.watch(
              new PostgresStore.Listener() {
                @Override
                public void leased(long until, long wallUntil) {}

                @Override
                public void reported(List<RemoteReport> reports) {}
              },
              (_, cause) -> failures.add(cause));
      watch.start();
      store.take(partition(0), 1);
      store.commit(new WriteBatch(1, List.of(insert(1, 0), insert(2, 0))));
      String sessions = sessions();
      assertThat(sessions).contains(",");

      await().during(Duration.ofSeconds(1)).until(() -> sessions().equals(sessions));

      store.commit(
          new WriteBatch(
              2, List.of(delete(1, 0), PostgresSetup.updateStatus(2, 0, Status.CLAIMED))));
      assertThat(store.load(0, 10))
          .singleElement()
          .satisfies(row -> {
            assertThat(row.addedAt()).isEqualTo(Rows.NOW);
            assertThat(row.activation())
                .usingRecursiveComparison()
                .isEqualTo(PostgresSetup.row(2, 0).activation());
          });
      assertThat(store.commit(new WriteBatch(3, List.of(delete(2, 0)))))
          .containsExactly(ChangeOutcome.APPLIED);
      watch.stop();
    }
    assertThat(failures).isEmpty();
  }

  @Test
  void eachSessionHasTheRequiredSettings() throws SQLException {
    applyHostileSettings();
    PostgresOptions options = PostgresSetup.options(database);
    var server =
        new Server(options.address(), options.login(), 5_000).in(new PostgresSchema("public"));
    try (Connection own = server.connect("test", 10);
        var pool = server.pool("test");
        Connection pooled = pool.getConnection()) {
      for (Connection each : List.of(own, pooled)) {
        assertThat(show(each, "idle_session_timeout")).isEqualTo("0");
        assertThat(show(each, "lock_timeout")).isEqualTo("0");
        assertThat(show(each, "statement_timeout")).isEqualTo("30s");
        assertThat(show(each, "idle_in_transaction_session_timeout")).isEqualTo("5s");
        assertThat(show(each, "synchronous_commit")).isEqualTo("on");
        assertThat(show(each, "transaction_isolation")).isEqualTo("read committed");
        assertThat(show(each, "transaction_read_only")).isEqualTo("off");
        assertThat(show(each, "standard_conforming_strings")).isEqualTo("on");
        assertThat(show(each, "array_nulls")).isEqualTo("on");
        assertThat(show(each, "enable_indexscan")).isEqualTo("on");
        assertThat(show(each, "search_path")).isEqualTo("public");
      }
    }
    try (Connection patient = server.longRunning(options.login(), database.name())) {
      assertThat(show(patient, "statement_timeout")).isEqualTo("0");
      assertThat(show(patient, "transaction_read_only")).isEqualTo("off");
    }
  }

  private void applyHostileSettings() {
    // In one script, so that the settings so far do not affect the rest.
    var script = new StringBuilder("SET default_transaction_read_only = off;");
    HOSTILE.forEach((name, value) ->
        script.append("ALTER DATABASE %s SET %s = %s;".formatted(database.name(), name, value)));
    database.execute(script.toString());
  }

  private String sessions() {
    return query(
        PostgresServer.shared().database("postgres"),
        """
        SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity
        WHERE datname = '%s'
        """
            .formatted(database.name()));
  }

  private static String show(Connection connection, String setting) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("SHOW " + setting)) {
      result.next();
      return result.getString(1);
    }
  }
}
