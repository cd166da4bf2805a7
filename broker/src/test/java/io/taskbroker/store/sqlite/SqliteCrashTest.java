package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowBrowser.Position;
import io.taskbroker.store.Rows;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.ReferenceTable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Processes killed while they write.
final class SqliteCrashTest {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "topic", 0);
  private static final int ROWS = 4;

  @TempDir private Path folder;

  /// Commits batches, continuing after the last committed one, and prints each number after its
  /// commit.
  static final class Committing {
    private Committing() {}

    public static void main(String[] arguments) {
      SqliteStore store = SqliteStore.open(new SqliteOptions(Path.of(arguments[0]), 0));
      long first = last(store) + 1;
      for (long number = first; ; number++) {
        store.commit(new WriteBatch(number, changes(number)));
        System.out.println(number);
      }
    }
  }

  /// Opens the store, prints the result, and waits to be killed.
  static final class Opening {
    private Opening() {}

    public static void main(String[] arguments) throws IOException {
      try (SqliteStore store = SqliteStore.open(new SqliteOptions(Path.of(arguments[0]), 0))) {
        System.out.println("opened " + store.name());
        System.in.read();
      } catch (StoreException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  @Timeout(240)
  void g1g2CommittedBatchesAreCompleteAfterACrash() throws Exception {
    Path file = folder.resolve("store.sqlite");
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    long printed = 0;
    for (int crash = 0; crash < 4; crash++) {
      try (KilledProcess child = KilledProcess.start(folder, Committing.class, file.toString())) {
        for (int lines = random.nextInt(1, 600); lines > 0; lines--) {
          printed = Long.parseLong(String.valueOf(child.line()));
        }
        child.kill();
        for (String line; (line = child.line()) != null; ) {
          printed = Long.parseLong(line);
        }
      }
      try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 0))) {
        long last = last(store);
        assertThat(last).as("seed %d", seed).isBetween(printed, printed + 1);
        assertThat(Rows.texts(store.load(0, 100)))
            .as("seed %d", seed)
            .isEqualTo(Rows.texts(rowsAfter(last)));
        assertThat(store.lastKey()).isEqualTo(last * ROWS + ROWS - 1);
        assertThat(finished(file)).as("records, seed %d", seed).isEqualTo(ended(last));
      }
    }
  }

  @Test
  @Timeout(240)
  void crashDuringAMigrationLeavesTheOldFile() throws Exception {
    for (int attempt = 0; attempt < 5; attempt++) {
      Path file = folder.resolve("reference-" + attempt + ".sqlite");
      int rows = 15_000;
      reference(file, rows);
      Path log = Path.of(file + "-wal");
      try (KilledProcess child = KilledProcess.start(folder, Opening.class, file.toString())) {
        Awaitility.await()
            .pollDelay(Duration.ZERO)
            .pollInterval(Duration.ofMillis(1))
            .atMost(Duration.ofSeconds(60))
            .until(() -> log.toFile().length() > 8 << 20 || !child.isAlive());
        child.kill();
      }
      boolean before;
      try (Outsider outsider = new Outsider(file)) {
        before =
            outsider
                .rows("SELECT type FROM sqlite_schema WHERE name = 'inflight_taskactivations'")
                .equals(List.of("table"));
        assertThat(
                outsider.rows(
                    "SELECT count(*), sum(length(activation)) FROM inflight_taskactivations"))
            .containsExactly(rows + "|" + rows * 4000L);
        assertThat(outsider.rows("PRAGMA integrity_check")).containsExactly("ok");
      }
      try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 0))) {
        assertThat(store.load(0, rows + 1)).hasSize(rows);
      }
      if (before) {
        return;
      }
    }
    fail("No migration was interrupted in its middle");
  }

  static void reference(Path file, int rows) throws SQLException {
    try (Outsider reference = new Outsider(file)) {
      reference.rows("PRAGMA journal_mode = WAL");
      reference.run(ReferenceTable.SQL, "BEGIN");
      for (int i = 0; i < rows; i++) {
        SqliteTakeoverTest.insert(reference, "id-" + i, i, "Pending", new byte[4000]);
      }
      reference.run("COMMIT");
    }
  }

  private static long last(SqliteStore store) {
    List<Watermark> watermarks = store.watermarks();
    return watermarks.isEmpty() ? 0 : watermarks.getFirst().next();
  }

  /// Inserts rows, updates those of the previous batch, and deletes those of the batch before that.
  private static List<Change> changes(long number) {
    List<Change> changes = new ArrayList<>();
    changes.add(new Change.AdvanceWatermark(PARTITION, number, null));
    for (int i = 0; i < ROWS; i++) {
      Row row = row(number, i);
      changes.add(new Change.Insert(row, null));
      changes.add(
          new Change.UpdateStatus(
              row.key() - ROWS,
              "",
              Rows.ORIGIN,
              Status.PROCESSING,
              0,
              Row.NONE,
              number,
              false,
              false,
              null));
      long ended = row.key() - 2 * ROWS;
      changes.add(new Change.Delete(ended, "", Rows.ORIGIN, Row.NONE, record(ended, number), null));
    }
    return changes;
  }

  /// Ids of the rows that are gone, newest batch first.
  private static List<String> ended(long last) {
    List<String> ids = new ArrayList<>();
    for (long number = last - 2; number > 0; number--) {
      for (int i = ROWS - 1; i >= 0; i--) {
        ids.add("id-" + (number * ROWS + i));
      }
    }
    return ids;
  }

  private static List<String> finished(Path file) {
    List<String> ids = new ArrayList<>();
    try (var browser = new SqliteBrowser(file, new ZoneMap(false))) {
      Optional<Position> next = Optional.of(Position.START);
      while (next.isPresent()) {
        FinishedPage page =
            browser.finished(
                new FinishedQuery(
                    next.get(),
                    Optional.empty(),
                    Optional.of("app"),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    0,
                    Long.MAX_VALUE,
                    Optional.empty(),
                    RowBrowser.MAX_ROWS,
                    Duration.ofSeconds(10)));
        page.records().forEach(found -> ids.add(found.task().id()));
        next = page.next();
      }
    }
    return ids;
  }

  private static FinishedTask record(long key, long number) {
    return new FinishedTask(
        "id-" + key,
        "",
        "app",
        "ns",
        "task",
        Rows.ORIGIN,
        Outcome.COMPLETED,
        Rows.NOW,
        Row.NONE,
        Rows.NOW + number,
        Long.MAX_VALUE,
        1,
        "worker",
        "",
        null,
        new byte[40],
        false);
  }

  private static List<Row> rowsAfter(long number) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; number > 1 && i < ROWS; i++) {
      Row row = row(number - 1, i);
      rows.add(
          new Row(
              row.key(),
              row.activation(),
              Status.PROCESSING,
              row.addedAt(),
              0,
              Row.NONE,
              number,
              false,
              false,
              Row.NONE,
              null));
    }
    for (int i = 0; i < ROWS; i++) {
      rows.add(row(number, i));
    }
    return rows;
  }

  private static Row row(long number, int i) {
    long key = number * ROWS + i;
    byte[] payload = new byte[new Random(key).nextInt(9000)];
    new Random(key).nextBytes(payload);
    return Row.arriving(
        key, Rows.activation("id-" + key, "app", payload), Status.PENDING, Rows.NOW);
  }
}
