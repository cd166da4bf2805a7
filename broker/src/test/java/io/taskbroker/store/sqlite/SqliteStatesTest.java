package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ViewContract;
import io.taskbroker.testkit.ReferenceTable;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// [ViewContract] for SQLite.
final class SqliteStatesTest extends ViewContract {
  private static final String COLUMNS =
      "SELECT name FROM pragma_table_info('inflight_taskactivations') ORDER BY cid";

  @TempDir private Path folder;
  private SqliteStore store;
  private Outsider outsider;

  @BeforeEach
  void open() throws SQLException {
    store = SqliteStore.open(options());
    outsider = new Outsider(options().path());
  }

  @AfterEach
  void close() throws SQLException {
    outsider.close();
    store.close();
  }

  private SqliteOptions options() {
    return new SqliteOptions(folder.resolve("store.sqlite"), 0);
  }

  @Test
  void viewOfAnOlderBrokerIsRenewed() throws SQLException {
    store.close();
    outsider.run(
        "DROP VIEW inflight_taskactivations",
        "CREATE VIEW inflight_taskactivations AS SELECT id FROM activation");
    store = SqliteStore.open(options());
    assertThat(columns()).isEqualTo(referenceColumns());
  }

  @Override
  protected ActivationStore store() {
    return store;
  }

  @Override
  protected List<String> read(String query) {
    try {
      return outsider.rows(query);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  protected String seconds(String column) {
    return column;
  }

  @Override
  protected List<String> columns() {
    return read(COLUMNS);
  }

  @Override
  protected List<String> referenceColumns() {
    try (var reference = new Outsider(folder.resolve("reference.sqlite"))) {
      reference.run(ReferenceTable.SQL);
      return reference.rows(COLUMNS);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
