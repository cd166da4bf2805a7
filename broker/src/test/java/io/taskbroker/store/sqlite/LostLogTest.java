package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Databases that look intact and lack the latest transactions: the lock file still shows that an
/// at-most-once task was delivered, and it is not delivered again (G3). A crash is not such a loss.
@Timeout(240)
final class LostLogTest {
  private static final long CLAIMED_UNTIL = Rows.NOW + 1000;
  private static final int FRAME = 24 + 4096;

  private static final int PLAIN = 1;
  private static final int DELIVERED = 2;
  private static final int UNCONFIRMED = 3;
  private static final int LATER = 4;
  private static final int PARKED = 5;
  private static final int SOONER = 6;
  private static final int FORWARDED = 7;

  private static final Map<Integer, String> AS_IT_WAS =
      Map.of(
          PLAIN, "Pending|0",
          DELIVERED, "Pending|1",
          UNCONFIRMED, "Pending|0",
          LATER, "Delay|1",
          PARKED, "Pending|1",
          SOONER, "Delay|1",
          FORWARDED, "Failure|1");

  @TempDir private Path folder;
  private Path file;
  private Path log;
  private Path lock;

  /// After the first process all offsets are confirmed and everything is in the database file.
  @BeforeEach
  void fill() throws IOException {
    file = folder.toRealPath().resolve("store.sqlite");
    log = Path.of(file + "-wal");
    lock = Path.of(file + ".lock");
    try (SqliteStore store = open()) {
      commit(
          store,
          1,
          insert(once(PLAIN, false, false, 0)),
          insert(once(DELIVERED, true, true, 0)),
          insert(once(UNCONFIRMED, true, false, 0)),
          insert(once(LATER, true, true, CLAIMED_UNTIL + 1)),
          insert(once(PARKED, true, true, 0).parkedUntil(Rows.NOW)),
          insert(once(SOONER, true, true, CLAIMED_UNTIL)),
          insert(once(FORWARDED, true, true, 0).forwardedTo(new Destination("dead", Map.of()))));
    }
    assertThat(rows()).isEqualTo(AS_IT_WAS);
  }

  @Test
  void g3PossiblyDeliveredTaskIsNotDeliveredAgain() throws Exception {
    crashAfter(Files::delete, claim(DELIVERED));
    long before = System.currentTimeMillis();
    try (SqliteStore store = open()) {
      assertThat(rows())
          .containsEntry(PLAIN, "Pending|0")
          .containsEntry(DELIVERED, "Processing|1")
          .containsEntry(UNCONFIRMED, "Pending|0")
          .containsEntry(LATER, "Delay|1")
          .containsEntry(PARKED, "Pending|0")
          .containsEntry(SOONER, "Processing|1")
          .containsEntry(FORWARDED, "Failure|1");
      assertThat(store.loadParked(0, 10)).hasSize(1);
      assertThat(store.load(0, 10))
          .filteredOn(row -> row.key() == DELIVERED)
          .singleElement()
          .satisfies(row -> assertThat(row.processingDeadline()).isGreaterThanOrEqualTo(before));
    }
  }

  @Test
  void g3EmptyLogIsALoss() throws Exception {
    crashAfter(path -> Files.write(path, new byte[0]), claim(DELIVERED));
    assertThat(rowsAfterRestart()).containsEntry(DELIVERED, "Processing|1");
  }

  /// Wherever the log ends, delivered tasks are or count as delivered, and other rows are unchanged
  /// unless a loss is detected.
  @Test
  void g3LogTruncatedAnywhereIsSafe() throws Exception {
    crashAfter(
        _ -> {},
        insert(once(20, false, false, 0)),
        insert(once(21, false, false, 0)),
        claim(DELIVERED),
        insert(once(22, false, false, 0)));
    byte[] database = Files.readAllBytes(file);
    byte[] whole = Files.readAllBytes(log);
    int lost = 0;
    int kept = 0;
    for (int end = 0; end <= whole.length; end += FRAME / 8) {
      Files.write(file, database);
      Files.write(log, whole);
      cut(log, end);
      Map<Integer, String> rows = rowsAfterRestart();
      boolean claimed = "Claimed|1".equals(rows.get(DELIVERED));
      kept += claimed ? 1 : 0;
      lost += claimed ? 0 : 1;
      assertThat(rows)
          .as("log truncated to %d of %d bytes", end, whole.length)
          .containsEntry(DELIVERED, claimed ? "Claimed|1" : "Processing|1")
          .containsEntry(SOONER, claimed ? "Delay|1" : "Processing|1");
    }
    assertThat(lost).isPositive();
    assertThat(kept).isPositive();
  }

  @Test
  void crashIsNoLoss() throws Exception {
    crashAfter(_ -> {}, claim(DELIVERED));
    var expected = new HashMap<>(AS_IT_WAS);
    expected.put(DELIVERED, "Claimed|1");
    assertThat(rowsAfterRestart()).isEqualTo(expected);
  }

  /// Kafka reveals that loss.
  @Test
  void logWithoutClaimsIsNoLoss() throws Exception {
    crashAfter(Files::delete, insert(once(20, true, true, 0)));
    assertThat(rowsAfterRestart()).isEqualTo(AS_IT_WAS);
  }

  /// The last program to close a database moves the log into it and deletes the log.
  @Test
  void logCheckpointedByAnotherProgramIsNoLoss() throws Exception {
    crashAfter(_ -> {}, claim(DELIVERED));
    rows();
    assertThat(log).doesNotExist();
    assertThat(rowsAfterRestart())
        .containsEntry(DELIVERED, "Claimed|1")
        .containsEntry(SOONER, "Delay|1");
  }

  @Test
  void g3RestoredOldCopyIsALoss() throws Exception {
    Path copy = Files.copy(file, folder.resolve("copy"));
    for (int run = 0; run < 3; run++) {
      try (SqliteStore store = open()) {
        commit(store, 1, run == 1 ? claim(DELIVERED) : insert(once(20 + run, true, true, 0)));
      }
    }
    Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
    assertThat(rowsAfterRestart()).containsEntry(DELIVERED, "Processing|1");
  }

  @Test
  void lossCountsOnce() throws Exception {
    crashAfter(Files::delete, claim(DELIVERED));
    try (SqliteStore store = open()) {
      commit(store, 1, insert(once(20, true, true, 0)));
    }
    crashAfter(_ -> {}, insert(once(21, true, true, 0)));
    assertThat(rowsAfterRestart())
        .containsEntry(20, "Pending|1")
        .containsEntry(21, "Pending|1")
        .containsEntry(DELIVERED, "Processing|1");
  }

  @Test
  void recordedFenceNeverGoesBack() throws Exception {
    try (SqliteStore store = open()) {
      commit(store, 1, claim(DELIVERED, CLAIMED_UNTIL + 1));
    }
    Path copy = Files.copy(file, folder.resolve("copy"));
    try (SqliteStore store = open()) {
      commit(store, 1, claim(SOONER));
    }
    Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
    assertThat(rowsAfterRestart()).containsEntry(LATER, "Processing|1");
  }

  @Test
  void fenceOfAnotherStoreIsIgnored() throws Exception {
    Path other = folder.resolve("other.sqlite");
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(other, 0))) {
      commit(store, 1, insert(once(1, true, true, 0)), claim(1));
      commit(store, 2, claim(1));
    }
    Files.copy(Path.of(other + ".lock"), lock, StandardCopyOption.REPLACE_EXISTING);
    assertThat(rowsAfterRestart()).isEqualTo(AS_IT_WAS);
    assertThat(rowsAfterRestart()).isEqualTo(AS_IT_WAS);
  }

  /// As left by an earlier version, or by an operator.
  @Test
  void lockFileWithoutAFenceIsNoLoss() throws Exception {
    crashAfter(Files::delete, claim(DELIVERED));
    String name = Files.readString(lock).substring(0, 36);
    for (String rest : List.of("", " 1", "\n", " 99 98 x\n", " ".repeat(200))) {
      Files.writeString(lock, name + rest);
      try (SqliteStore store = open()) {
        assertThat(store.name()).isEqualTo(name);
        assertThat(rows()).as("'%s'", rest).isEqualTo(AS_IT_WAS);
      }
    }
  }

  /// A process is killed repeatedly while it claims tasks.
  @Test
  void killedProcessLosesNothing() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int crash = 0; crash < 3; crash++) {
      try (KilledProcess child = KilledProcess.start(folder, Claiming.class, file.toString())) {
        for (int lines = random.nextInt(1, 300); lines > 0; lines--) {
          assertThat(child.line()).isNotNull();
        }
        child.kill();
      }
      Map<Integer, String> rows = rowsAfterRestart();
      assertThat(rows).as("seed %d", seed).containsEntry(SOONER, "Delay|1");
      assertThat(rows).as("seed %d", seed).containsEntry(DELIVERED, "Claimed|1");
    }
  }

  static final class Claiming {
    private Claiming() {}

    public static void main(String[] arguments) {
      SqliteStore store = SqliteStore.open(new SqliteOptions(Path.of(arguments[0]), 0));
      for (long number = 1; ; number++) {
        commit(store, number, claim(DELIVERED));
        System.out.println(number);
      }
    }
  }

  /// Process that commits the changes and ends without closing the store.
  private void crashAfter(Damage damage, Change... changes) throws IOException {
    Path copy = folder.resolve("crashed");
    try (SqliteStore store = open()) {
      for (int i = 0; i < changes.length; i++) {
        commit(store, i + 1L, changes[i]);
      }
      Files.copy(file, copy);
      Files.copy(log, Path.of(copy + "-wal"));
    }
    Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
    Files.move(Path.of(copy + "-wal"), log);
    damage.to(log);
  }

  private static void commit(SqliteStore store, long number, Change... changes) {
    store.commit(new WriteBatch(number, new ArrayList<>(List.of(changes))));
  }

  private static Change insert(Row row) {
    return new Change.Insert(row, null);
  }

  private static Change claim(int key) {
    return claim(key, CLAIMED_UNTIL);
  }

  private static Change claim(int key, long until) {
    return new Change.UpdateStatus(
        key, "id-" + key, Rows.ORIGIN, Status.CLAIMED, 0, until, Row.NONE, false, true, null);
  }

  private static Row once(int key, boolean atMostOnce, boolean committed, long delayUntil) {
    var activation =
        new Activation(
            "id-" + key,
            "app",
            "namespace",
            "task",
            new byte[] {1},
            Rows.ORIGIN,
            Rows.NOW,
            Activation.NEVER,
            delayUntil,
            30,
            FailurePolicy.DISCARD,
            atMostOnce,
            false);
    return new Row(
        key,
        activation,
        delayUntil == 0 ? Status.PENDING : Status.DELAY,
        Rows.NOW,
        0,
        Row.NONE,
        Row.NONE,
        false,
        committed,
        Row.NONE,
        null);
  }

  private SqliteStore open() {
    return SqliteStore.open(new SqliteOptions(file, 0));
  }

  private Map<Integer, String> rowsAfterRestart() {
    try (SqliteStore _ = open()) {
      return rows();
    }
  }

  /// Status and offset confirmation of each row of [#fill] and of later rows, by key.
  private Map<Integer, String> rows() {
    var rows = new TreeMap<Integer, String>();
    try (Outsider outsider = new Outsider(file)) {
      for (String row : outsider.rows("SELECT key, status, committed FROM activation")) {
        int bar = row.indexOf('|');
        rows.put(Integer.parseInt(row.substring(0, bar)), row.substring(bar + 1));
      }
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
    return rows;
  }

  private static void cut(Path log, long length) throws IOException {
    try (var access = new RandomAccessFile(log.toFile(), "rw")) {
      access.setLength(length);
    }
  }

  private interface Damage {
    void to(Path log) throws IOException;
  }
}
