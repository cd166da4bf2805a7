package io.taskbroker.store.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ViewContract;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import io.taskbroker.testkit.ReferencePostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// [ViewContract] on Postgres.
@Timeout(240)
final class PostgresStatesTest extends ViewContract {
  private static final String COLUMNS =
      """
      SELECT attname, atttypid::regtype FROM pg_attribute
      WHERE attrelid = 'inflight_taskactivations'::regclass AND attnum > 0 ORDER BY attnum
      """;

  private final Database database = PostgresServer.shared().newDatabase();
  private PostgresStore store;

  @BeforeEach
  void open() {
    store = PostgresStore.open(PostgresSetup.options(database));
    store.take(PARTITION, 1);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void nobodyWritesToTheView() {
    for (String write :
        List.of(
            "DELETE FROM inflight_taskactivations",
            "UPDATE inflight_taskactivations SET status = 'Pending'")) {
      assertThatThrownBy(() -> database.execute(write)).hasStackTraceContaining("cannot");
    }
  }

  @Test
  void readerInALongTransactionSeesADelayEnd() {
    assertThat(
            read(
                "SELECT pg_get_viewdef('inflight_taskactivations') LIKE '%statement_timestamp()%'"))
        .containsExactly("t");
  }

  @Override
  protected ActivationStore store() {
    return store;
  }

  @Override
  protected List<String> read(String query) {
    return read(database, query);
  }

  private static List<String> read(Database from, String query) {
    try (Connection connection = from.connect();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      var rows = new ArrayList<String>();
      while (result.next()) {
        var row = new ArrayList<String>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          row.add(String.valueOf(result.getString(i)));
        }
        rows.add(String.join("|", row));
      }
      return rows;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  protected String seconds(String column) {
    return "extract(epoch FROM %s)::bigint".formatted(column);
  }

  @Override
  protected List<String> columns() {
    return read(COLUMNS);
  }

  @Override
  protected List<String> referenceColumns() {
    Database reference = PostgresServer.shared().newDatabase();
    reference.execute(ReferencePostgres.statements());
    return read(reference, COLUMNS);
  }
}
