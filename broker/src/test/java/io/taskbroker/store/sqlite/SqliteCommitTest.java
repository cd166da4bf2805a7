package io.taskbroker.store.sqlite;

import static io.taskbroker.store.Rows.NOW;
import static io.taskbroker.store.Rows.pending;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Failed commits, and commits that meet another writer.
final class SqliteCommitTest {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "topic", 0);

  @TempDir private Path folder;
  private SqliteStore store;
  private Outsider outsider;

  @BeforeEach
  void open() throws SQLException {
    store = SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0));
    outsider = new Outsider(folder.resolve("store.sqlite"));
  }

  @AfterEach
  void close() throws SQLException {
    outsider.close();
    store.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ABORT", "FAIL", "ROLLBACK"})
  void h12NothingOfABatchWithAnOffenderIsApplied(String how) throws SQLException {
    outsider.run(
        """
        CREATE TRIGGER offend BEFORE INSERT ON activation WHEN NEW.id = 'id-3'
        BEGIN SELECT RAISE(%s, 'offending'); END
        """
            .formatted(how));
    WriteBatch batch =
        new WriteBatch(
            1,
            List.of(
                new Change.AdvanceWatermark(PARTITION, 9, null),
                new Change.Insert(pending(1), null),
                new Change.Insert(pending(2), null),
                new Change.Insert(pending(3), null),
                new Change.Insert(pending(4), null)));
    for (int attempt = 0; attempt < 3; attempt++) {
      assertThatThrownBy(() -> store.commit(batch))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DATA))
          .hasMessageContaining("offending");
      assertThat(store.load(0, 10)).isEmpty();
      assertThat(store.watermarks()).isEmpty();
      assertThat(store.lastKey()).isZero();
      assertThat(outsider.rows("SELECT count(*) FROM activation")).containsExactly("0");
    }
    outsider.run("DROP TRIGGER offend");
    assertThat(store.commit(batch)).containsOnly(ChangeOutcome.APPLIED).hasSize(5);
    assertThat(outsider.rows("SELECT count(*) FROM activation")).containsExactly("4");
    assertThat(store.lastKey()).isEqualTo(4);
  }

  /// A failure in the middle of a statement, as on a full disk, makes the driver close that
  /// statement.
  @Test
  void failedStatementIsReplaced() throws SQLException {
    store.commit(new WriteBatch(1, List.of(new Change.Insert(pending(1), null))));
    outsider.run(
        """
        CREATE TRIGGER fail BEFORE DELETE ON activation
        BEGIN SELECT abs(-9223372036854775808); END
        """);
    WriteBatch batch = new WriteBatch(2, List.of(delete(1)));
    for (int attempt = 0; attempt < 3; attempt++) {
      assertThatThrownBy(() -> store.commit(batch)).hasMessageContaining("integer overflow");
    }
    outsider.run("DROP TRIGGER fail");
    assertThat(store.commit(batch)).containsExactly(ChangeOutcome.APPLIED);
    assertThat(store.load(0, 10)).isEmpty();
  }

  @Test
  void outsideWriterOnlyDelaysACommit() throws SQLException {
    outsider.run("BEGIN IMMEDIATE");
    WriteBatch batch = new WriteBatch(1, List.of(new Change.Insert(pending(1), null)));
    assertThatThrownBy(() -> store.commit(batch))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.TRANSIENT));
    outsider.run("COMMIT");
    assertThat(store.commit(batch)).containsExactly(ChangeOutcome.APPLIED);
  }

  @Test
  void h23WriterOfAFormerEpochCommitsNothing() throws SQLException {
    store.commit(new WriteBatch(1, List.of(new Change.Insert(pending(1), null))));
    outsider.run("UPDATE writer SET epoch = epoch + 1, batch = -1");
    assertTakenOver(() -> store.commit(new WriteBatch(2, List.of(delete(1)))));
    assertTakenOver(() -> store.commit(new WriteBatch(1, List.of(delete(1)))));
    assertTakenOver(() -> store.maintain(NOW));
    assertThat(outsider.rows("SELECT id FROM inflight_taskactivations")).containsExactly("id-1");
  }

  @Test
  void h23EveryOpeningRaisesTheEpoch() throws SQLException {
    List<String> epochs = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      epochs.addAll(outsider.rows("SELECT epoch FROM writer"));
      store.close();
      store = SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0));
    }
    assertThat(epochs.stream().map(Long::parseLong)).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void h12InsertsAreRefusedAboveTheBoundAndDeletesAreNot() {
    store.close();
    store = SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 200_000));
    long key = 0;
    while (store.size() <= 225_000) {
      commit(++key, new Change.Insert(large(key), null));
    }
    long last = key;
    assertFull(() -> commit(last + 1, delete(1), new Change.Insert(large(last + 1), null)));
    assertThat(commit(last + 2, delete(1))).containsExactly(ChangeOutcome.APPLIED);
    Change updateStatus =
        new Change.UpdateStatus(
            2, "id-2", Rows.ORIGIN, Status.PROCESSING, 0, 1, 1, false, false, null);
    assertThat(commit(last + 3, updateStatus)).containsExactly(ChangeOutcome.APPLIED);
    for (long old = 2; store.size() > 225_000; old++) {
      commit(last + 2 + old, delete(old));
    }
    assertThat(commit(last + 100, new Change.Insert(large(last + 1), null)))
        .containsExactly(ChangeOutcome.APPLIED);
  }

  @Test
  void h12InsertsAreRefusedWhileTheDiskHasOnlyRoomForDeletes() throws SQLException {
    Path file = folder.resolve("other.sqlite");
    try (Session session = Session.open(file, "name")) {
      new DiskSpaceGuard(file, Long.MAX_VALUE, () -> DiskSpaceGuard.FREE_BYTES).check(session);
      assertFull(() ->
          new DiskSpaceGuard(file, Long.MAX_VALUE, () -> DiskSpaceGuard.FREE_BYTES - 1)
              .check(session));
    }
  }

  /// A restart loses what is only in a file that was removed.
  @Test
  void g1InsertsAreRefusedWhileTheFileIsNotInItsPlace() throws Exception {
    Path file = folder.resolve("other.sqlite");
    Path away = folder.resolve("away.sqlite");
    try (Session session = Session.open(file, "name")) {
      var guard = new DiskSpaceGuard(file, Long.MAX_VALUE, () -> Long.MAX_VALUE);
      guard.check(session);
      Files.move(file, away);
      assertFull(() -> guard.check(session));
      Files.createFile(file);
      assertFull(() -> guard.check(session));
      Files.move(away, file, StandardCopyOption.REPLACE_EXISTING);
      guard.check(session);
    }
  }

  @Test
  void deletedRowsFreeTheirSpace() throws SQLException {
    List<Change> inserts = new ArrayList<>();
    List<Change> deletes = new ArrayList<>();
    for (long key = 1; key <= 200; key++) {
      inserts.add(new Change.Insert(large(key), null));
      deletes.add(delete(key));
    }
    store.commit(new WriteBatch(1, inserts));
    store.commit(new WriteBatch(2, deletes));
    assertThat(outsider.rows("PRAGMA auto_vacuum")).containsExactly("2");
    assertThat(Long.parseLong(outsider.rows("PRAGMA freelist_count").getFirst())).isPositive();
    store.maintain(NOW);
    assertThat(outsider.rows("PRAGMA freelist_count")).containsExactly("0");
    assertThat(folder.resolve("store.sqlite").toFile().length()).isLessThan(100_000);
  }

  @Test
  void pagesAreFoundByKeyAndNeverSorted() throws SQLException {
    assertThat(plan(SqlitePageReader.LOAD))
        .containsExactly("SEARCH activation USING INTEGER PRIMARY KEY (rowid>?)");
    assertThat(plan(SqlitePageReader.LOAD_PARKED))
        .containsExactly("SEARCH activation USING INTEGER PRIMARY KEY (rowid>?)");
    assertThat(plan(SqlitePageReader.DUE_THEN))
        .containsExactly(
            "SEARCH activation USING INDEX activation_parked (application=? AND priority=? AND"
                + " parked_until=? AND key>?)");
    assertThat(plan(SqlitePageReader.DUE_LATER))
        .containsExactly(
            "SEARCH activation USING INDEX activation_parked (application=? AND priority=? AND"
                + " parked_until>?)");
  }

  private List<String> plan(String query) throws SQLException {
    return outsider.rows("EXPLAIN QUERY PLAN " + query).stream()
        .map(row -> row.substring(row.lastIndexOf('|') + 1))
        .toList();
  }

  private List<ChangeOutcome> commit(long number, Change... changes) {
    return store.commit(new WriteBatch(number, List.of(changes)));
  }

  private static void assertTakenOver(ThrowingCallable act) {
    assertThatThrownBy(act)
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FATAL))
        .hasMessageContaining("Another broker took over")
        .hasMessageContaining("store.sqlite");
  }

  private static void assertFull(ThrowingCallable act) {
    assertThatThrownBy(act)
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FULL));
  }

  private static Row large(long key) {
    return Row.arriving(
        key, Rows.activation("id-" + key, "app", new byte[10_000]), Status.PENDING, NOW);
  }

  private static Change delete(long key) {
    return new Change.Delete(key, "id-" + key, Rows.ORIGIN, Row.NONE, null);
  }
}
