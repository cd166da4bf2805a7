package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.Rows;
import io.taskbroker.store.ScheduleStoreContract;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.WriteBatch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Every known kind of damage to the files of a closed store: each is detected on opening, the
/// damaged file is kept under another name, and a new store gets the readable rows.
@Timeout(240)
final class DamagedFileTest {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "topic", 0);
  private static final int ROWS = 400;
  private static final int PAGE = 4096;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private String name = "";

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void fill() throws IOException {
    file = folder.toRealPath().resolve("store.sqlite");
    try (SqliteStore store = open()) {
      name = store.name();
      var changes = new ArrayList<Change>();
      for (int key = 1; key <= ROWS; key++) {
        changes.add(new Change.Insert(row(key, false), null));
      }
      changes.add(new Change.AdvanceWatermark(PARTITION, 1000, null));
      changes.add(new Change.Delete(9999, "done", Rows.ORIGIN, Long.MAX_VALUE, null));
      store.commit(new WriteBatch(1, changes));
    }
  }

  @Test
  void intactFileIsUnchanged() throws IOException {
    try (SqliteStore store = open()) {
      assertThat(store.replaced()).isEmpty();
      assertThat(store.load(0, ROWS + 1)).hasSize(ROWS);
      assertThat(store.watermarks()).hasSize(1);
    }
    assertThat(damagedFiles()).isEmpty();
  }

  @Test
  void emptyFileIsALostStore() throws IOException {
    Files.write(file, new byte[0]);
    assertThat(assertReplaced("it is empty")).isEmpty();
  }

  @Test
  void deletedFileIsALostStore() throws IOException {
    Files.delete(file);
    try (SqliteStore store = open()) {
      assertThat(store.replaced().orElseThrow().why()).isEqualTo("it is gone");
      assertThat(store.name()).isEqualTo(name);
      assertThat(store.load(0, 1)).isEmpty();
    }
  }

  @Test
  void deletedFileWithoutItsLockIsANewStore() throws IOException {
    Files.delete(file);
    Files.delete(Path.of(file + ".lock"));
    try (SqliteStore store = open()) {
      assertThat(store.replaced()).isEmpty();
      assertThat(store.name()).isNotEqualTo(name);
    }
  }

  @Test
  void foreignContentIsALostStore() throws IOException {
    Files.writeString(file, "This is a text and not a database.".repeat(1000));
    assertThat(assertReplaced("file is not a database")).isEmpty();
  }

  @Test
  void damagedSchemaLosesAllRows() throws IOException {
    overwrite(file, 100, noise(PAGE - 100));
    assertThat(assertReplaced("")).isEmpty();
  }

  /// Damages one page at a time, throughout the file: no damaged file is opened, and only rows of
  /// that page, or reached through it, are lost.
  @Test
  void rowsOutsideADamagedPageAreSaved() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    int pages = whole.length / PAGE;
    var saved = new TreeMap<Integer, Integer>();
    for (int page = 1; page < pages; page++) {
      Files.write(file, whole);
      overwrite(file, (long) page * PAGE, noise(PAGE));
      try (SqliteStore store = open()) {
        if (store.replaced().isPresent()) {
          saved.put(page, store.load(0, ROWS + 1).size());
          assertThat(store.watermarks()).as("watermarks").isEmpty();
        }
      }
    }
    // Overflow pages of a payload do not count: only the payload itself can reveal their damage.
    assertThat(saved).as("seed %d", seed).hasSizeGreaterThan(pages / 2);
    assertThat(saved.values())
        .as("saved rows by damaged page, seed %d: %s", seed, saved)
        .filteredOn(rows -> rows < ROWS - 20)
        .hasSizeLessThan(4);
  }

  @Test
  void truncatedFileKeepsRowsBeforeTheCut() throws IOException {
    try (var access = new RandomAccessFile(file.toFile(), "rw")) {
      access.setLength(access.length() / 2 / PAGE * PAGE + 1000);
    }
    assertThat(assertReplaced("")).isNotEmpty();
  }

  @Test
  void g3AtMostOnceTasksCountAsDelivered() throws IOException {
    try (SqliteStore store = open()) {
      Row waits = row(ROWS + 1, true);
      store.commit(new WriteBatch(1, List.of(new Change.Insert(waits, null))));
    }
    overwrite(file, Files.size(file) / PAGE / 3 * PAGE, noise(PAGE));
    List<Row> rows = assertReplaced("");
    Row once = rows.getLast();
    assertThat(once.key()).isEqualTo(ROWS + 1);
    assertThat(once.status()).isEqualTo(Status.PROCESSING);
    assertThat(once.processingDeadline()).isPositive();
    assertThat(rows.getFirst().status()).isEqualTo(Status.PENDING);
  }

  @Test
  void schedulesAreKept() throws Exception {
    try (SqliteStore store = open()) {
      assertThat(store.schedules().create(ScheduleStoreContract.row("s", 7, 1_000))).isTrue();
    }
    byte[] whole = Files.readAllBytes(file);
    overwrite(file, (long) (whole.length / PAGE / 2) * PAGE, noise(PAGE));
    try (SqliteStore store = open()) {
      assertThat(store.replaced()).isPresent();
      assertThat(store.schedules().find("s").orElseThrow().version()).isEqualTo(7);
    }
  }

  @Test
  void tombstonesAndLastKeyAreKept() throws Exception {
    // Damages an empty table; all others are intact.
    try (Outsider outsider = new Outsider(file)) {
      outsider.run(
          "PRAGMA writable_schema = 1",
          "UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'watermark'");
    }
    try (SqliteStore store = open()) {
      assertThat(store.replaced()).isPresent();
      assertThat(store.load(0, ROWS + 1).stream().map(DamagedFileTest::text).toList())
          .isEqualTo(Rows.texts(rows()));
      assertThat(store.tombstones(0))
          .containsExactly(new Tombstone(Ids.fingerprint("done"), Long.MAX_VALUE));
      assertThat(store.lastKey()).isEqualTo(ROWS);
    }
  }

  @Test
  void logWithADamagedHeaderIsDamaged() throws Exception {
    withLog(log -> overwrite(log, 0, noise(200)));
    assertThat(assertReplaced("header of its write-ahead log is damaged")).hasSize(ROWS);
  }

  @Test
  void logWithADamagedMiddleIsDamaged() throws Exception {
    withLog(log -> overwrite(log, 32 + 24 + 300, noise(50)));
    assertThat(assertReplaced("of its write-ahead log is damaged")).hasSize(ROWS);
  }

  /// A power cut may leave such a log.
  @Test
  void logTornInItsLastTransactionIsIntact() throws Exception {
    withLog(log -> overwrite(log, Files.size(log) - 100, noise(100)));
    try (SqliteStore store = open()) {
      assertThat(store.replaced()).isEmpty();
      assertThat(store.load(0, 2 * ROWS)).hasSize(ROWS + 4);
    }
  }

  @Test
  void cleanlyClosedLogIsIntact() throws Exception {
    withLog(_ -> {});
    try (SqliteStore store = open()) {
      assertThat(store.replaced()).isEmpty();
      assertThat(store.load(0, 2 * ROWS)).hasSize(ROWS + 5);
    }
  }

  /// A wrong path or a file of another program is never touched.
  @Test
  void fileThatWasNeverTheStoreIsLeftAlone() throws IOException {
    Path other = folder.resolve("other.sqlite");
    Files.writeString(other, "This is a text and not a database.".repeat(1000));
    assertThatThrownBy(() -> SqliteStore.open(new SqliteOptions(other, 0)))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("move it away");
    assertThat(other).exists();
  }

  @Test
  void damageFoundWhileOpenIsFatalAndRepairedByTheNextStart() throws Exception {
    try (SqliteStore store = open()) {
      var row = new Change.Insert(row(ROWS + 1, false), null);
      store.commit(new WriteBatch(1, List.of(row)));
      Files.write(file, noise((int) Files.size(file)));
      Files.write(Path.of(file + "-wal"), new byte[0]);
      assertThatThrownBy(
              () -> {
                for (int batch = 2; ; batch++) {
                  store.load(0, ROWS);
                  store.maintain(0);
                }
              })
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.FATAL))
          .message()
          .contains("restart the broker")
          .doesNotContain("\n");
    }
    try (SqliteStore store = open()) {
      assertThat(store.replaced()).isPresent();
    }
  }

  /// Opens the damaged store and checks its replacement.
  ///
  /// @return the saved rows
  private List<Row> assertReplaced(String why) throws IOException {
    byte[] before = Files.readAllBytes(file);
    Path log = Path.of(file + "-wal");
    byte[] logBefore = Files.exists(log) ? Files.readAllBytes(log) : new byte[0];
    List<Row> rows;
    try (SqliteStore store = open()) {
      ReplacedStore damaged = store.replaced().orElseThrow();
      assertThat(damaged.why()).contains(why).doesNotContain("\n");
      assertThat(damaged.store()).isEqualTo(file);
      assertThat(damaged.aside().getFileName().toString())
          .matches("store[.]sqlite[.]corrupt-\\d{8}T\\d{6}Z");
      assertThat(damaged.aside()).hasBinaryContent(before);
      if (logBefore.length > 0) {
        assertThat(Path.of(damaged.aside() + "-wal")).hasBinaryContent(logBefore);
      }
      assertThat(store.name()).isEqualTo(name);
      assertThat(store.watermarks()).isEmpty();
      rows = store.load(0, 2 * ROWS);
      assertThat(damaged.rows()).isEqualTo(rows.size());
      assertThat(rows)
          .allSatisfy(row -> {
            if (!row.activation().atMostOnce()) {
              assertThat(text(row)).isEqualTo(Rows.text(row((int) row.key(), false)));
            }
          });
      long next = Math.max(ROWS, store.lastKey()) + 10;
      store.commit(new WriteBatch(1, List.of(new Change.Insert(row((int) next, false), null))));
    }
    try (SqliteStore again = open()) {
      assertThat(again.replaced()).isEmpty();
      assertThat(again.load(0, 2 * ROWS)).hasSize(rows.size() + 1);
    }
    return rows;
  }

  /// Leaves a log of five one-row commits beside the file, as after a crash, and damages it.
  private void withLog(Damage damage) throws Exception {
    Path copy = folder.resolve("copy");
    Path log = Path.of(file + "-wal");
    try (SqliteStore store = open()) {
      for (int i = 1; i <= 5; i++) {
        store.commit(new WriteBatch(i, List.of(new Change.Insert(row(ROWS + i, false), null))));
      }
      Files.copy(file, copy);
      Files.copy(log, Path.of(copy + "-wal"));
    }
    Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
    Files.move(Path.of(copy + "-wal"), log);
    damage.to(log);
  }

  private SqliteStore open() {
    return SqliteStore.open(new SqliteOptions(file, 0));
  }

  private List<Path> damagedFiles() throws IOException {
    try (var files = Files.list(folder)) {
      return files.filter(path -> path.toString().contains(".corrupt-")).toList();
    }
  }

  /// The row as text, except for the tombstone flag that a rescue sets.
  private static String text(Row row) {
    return Rows.text(row).replace("derived=true", "derived=false");
  }

  private static List<Row> rows() {
    var rows = new ArrayList<Row>();
    for (int key = 1; key <= ROWS; key++) {
      rows.add(row(key, false));
    }
    return rows;
  }

  private static Row row(int key, boolean atMostOnce) {
    String id = "id-" + key;
    var payload =
        TaskActivation.newBuilder().setId(id).setTaskname("x".repeat(200 + key % 7 * 50)).build();
    var activation =
        new Activation(
            id,
            "app",
            "namespace",
            "task",
            payload.toByteArray(),
            new Origin("topic", 0, key),
            Rows.NOW,
            Activation.NEVER,
            0,
            30,
            FailurePolicy.DISCARD,
            atMostOnce,
            false);
    return Row.arriving(key, activation, Status.PENDING, Rows.NOW);
  }

  private byte[] noise(int length) {
    byte[] noise = new byte[length];
    random.nextBytes(noise);
    return noise;
  }

  private static void overwrite(Path file, long position, byte[] bytes) throws IOException {
    try (var access = new RandomAccessFile(file.toFile(), "rw")) {
      access.seek(position);
      access.write(bytes);
    }
  }

  private interface Damage {
    void to(Path log) throws IOException;
  }
}
