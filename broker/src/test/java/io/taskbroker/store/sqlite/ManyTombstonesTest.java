package io.taskbroker.store.sqlite;

import static io.taskbroker.store.Rows.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Ids;
import io.taskbroker.store.ActivationStore.Tombstone;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A store of far more tombstones than memory remembers, as of minutes at full rate (G7, H8).
@Timeout(240)
final class ManyTombstonesTest {
  @TempDir private Path folder;

  @Test
  void g7TheNewestAreRead() throws Exception {
    SqliteStore.open(new SqliteOptions(file(), 0)).close();
    int count = Ids.MOST_REMEMBERED + 1_000;
    insert(count);
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file(), 0))) {
      List<Tombstone> read = store.tombstones(NOW);
      assertThat(read).hasSize(Ids.MOST_REMEMBERED);
      assertThat(read.getLast().until()).isEqualTo(NOW + count);
    }
  }

  @Test
  void onePurgeRemovesAsManyAsComeInAnInterval() throws Exception {
    SqliteStore.open(new SqliteOptions(file(), 0)).close();
    insert(300_000);
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file(), 0))) {
      store.maintain(NOW + 300_000);
      assertThat(store.tombstones(NOW)).isEmpty();
    }
  }

  private void insert(int count) throws Exception {
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file());
        var statement = connection.createStatement()) {
      statement.executeUpdate(
          """
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
          INSERT INTO tombstone (until, high, low) SELECT %d + i, i, i FROM n
          """
              .formatted(count, NOW));
    }
  }

  private Path file() {
    return folder.resolve("store.sqlite");
  }
}
