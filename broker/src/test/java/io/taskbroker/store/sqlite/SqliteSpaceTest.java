package io.taskbroker.store.sqlite;

import static io.taskbroker.store.Rows.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.ReferenceTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Return of free space after a backlog: in small steps at run time, all at once at start (W36).
@Timeout(240)
final class SqliteSpaceTest {
  private static final int FLOOD = 1_600;
  private static final int PAYLOAD = 50_000;
  private static final int PAGES = 2_000;
  private static final long LARGE = (long) FLOOD * PAYLOAD;
  private static final long SMALL = LARGE / 20;

  @TempDir private Path folder;

  @Test
  void w36FileShrinksGraduallyAfterABacklog() throws Exception {
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file(), 0, false, PAGES));
        Outsider outsider = new Outsider(file())) {
      fillAndEmpty(store);
      long free = freePages(outsider);
      int turns = 0;
      while (free > 0) {
        store.maintain(NOW);
        long left = freePages(outsider);
        assertThat(free - left).as("pages of one maintenance").isBetween(1L, (long) PAGES);
        free = left;
        turns++;
      }
      assertThat(turns).isGreaterThan(5);
      assertThat(Files.size(file())).isLessThan(SMALL);
      assertThat(store.load(0, 10)).hasSize(1);
    }
  }

  @Test
  void freePagesThatInsertsSoonNeedAreKept() throws Exception {
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file(), 0));
        Outsider outsider = new Outsider(file())) {
      insert(store, 1, 1, 100);
      delete(store, 2, 1, 10);
      long free = freePages(outsider);
      store.maintain(NOW);
      assertThat(freePages(outsider)).isEqualTo(free).isPositive();
    }
  }

  @Test
  void w36MostlyFreeFileIsRewrittenAtStart() throws Exception {
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file(), 0))) {
      fillAndEmpty(store);
    }
    SqliteStore.open(new SqliteOptions(file(), 0)).close();
    assertThat(Files.size(file())).as("without the option").isGreaterThan(LARGE);

    try (SqliteStore store = SqliteStore.open(atStart())) {
      assertThat(Files.size(file())).isLessThan(SMALL);
      assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(FLOOD + 1L);
      assertWorks(store);
    }
  }

  @Test
  void fileOfTheReferenceShrinksToo() throws Exception {
    try (Outsider reference = new Outsider(file())) {
      reference.run("PRAGMA auto_vacuum = NONE", ReferenceTable.SQL);
      reference.run(
          """
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
          INSERT INTO inflight_taskactivations
          (id, activation, partition, offset, added_at, processing_attempts,
           processing_deadline_duration, status)
          SELECT 'id-' || i, zeroblob(%d), 0, i, 1, 0, 10, 'Pending' FROM n
          """
              .formatted(FLOOD, PAYLOAD),
          "DELETE FROM inflight_taskactivations WHERE id <> 'id-7'");
    }
    assertThat(Files.size(file())).isGreaterThan(LARGE);

    try (SqliteStore store = SqliteStore.open(atStart());
        Outsider outsider = new Outsider(file())) {
      assertThat(Files.size(file())).isLessThan(SMALL);
      assertThat(outsider.rows("PRAGMA auto_vacuum")).as("incremental").containsExactly("2");
      assertThat(store.load(0, 10))
          .extracting(row -> row.activation().id())
          .containsExactly("id-7");
      assertWorks(store);
    }
  }

  private static void assertWorks(SqliteStore store) throws SQLException {
    long key = store.lastKey() + 1;
    store.commit(new WriteBatch(1, List.of(new Change.Insert(Rows.pending(key), null))));
    assertThat(store.load(key - 1, 10)).extracting(Row::key).containsExactly(key);
  }

  /// Inserts and deletes many rows; one stays.
  private static void fillAndEmpty(SqliteStore store) {
    for (int batch = 0; batch < 8; batch++) {
      insert(store, batch + 1L, 1 + batch * (FLOOD / 8), FLOOD / 8);
    }
    store.commit(new WriteBatch(9, List.of(new Change.Insert(Rows.pending(FLOOD + 1), null))));
    delete(store, 10, 1, FLOOD);
  }

  private static void insert(SqliteStore store, long batch, long key, int count) {
    List<Change> inserts = new ArrayList<>();
    for (long k = key; k < key + count; k++) {
      var activation = Rows.activation("id-" + k, "app", new byte[PAYLOAD]);
      inserts.add(new Change.Insert(Row.arriving(k, activation, Status.PENDING, NOW), null));
    }
    store.commit(new WriteBatch(batch, inserts));
  }

  private static void delete(SqliteStore store, long batch, long key, int count) {
    List<Change> deletes = new ArrayList<>();
    for (long k = key; k < key + count; k++) {
      deletes.add(new Change.Delete(k, "id-" + k, Rows.ORIGIN, Row.NONE, null));
    }
    store.commit(new WriteBatch(batch, deletes));
  }

  private static long freePages(Outsider outsider) throws SQLException {
    return Long.parseLong(outsider.rows("PRAGMA freelist_count").getFirst());
  }

  private SqliteOptions atStart() {
    return new SqliteOptions(file(), 0, true, PAGES);
  }

  private Path file() {
    return folder.resolve("store.sqlite");
  }
}
