package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.Rows;
import io.taskbroker.store.StoreException;
import io.taskbroker.testkit.ReferenceTable;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Migration of files of the reference in place (reference-spec 4.2).
final class SqliteTakeoverTest {
  private static final byte[] PAYLOAD =
      TaskActivation.newBuilder().setId("x").build().toByteArray();
  private static final byte[] RETRY =
      TaskActivation.newBuilder()
          .setId("x")
          .setRetryState(RetryState.newBuilder().setAttempts(2))
          .build()
          .toByteArray();

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void path() {
    file = folder.resolve("taskbroker-inflight.sqlite");
  }

  @Test
  void rowsOfEveryStatusAreMigrated() throws SQLException {
    try (Outsider reference = reference(ReferenceTable.SQL)) {
      int added = 1_000;
      for (Status status : Status.values()) {
        insert(reference, status.storedName(), added--, status.storedName(), PAYLOAD);
      }
      insert(reference, "undecodable", 2_000, "Pending", new byte[] {-1, -1, -1});
      insert(reference, "retry", 2_000, "Pending", RETRY);
      reference.run(
          """
          UPDATE inflight_taskactivations SET "partition" = 3, "offset" = 42,
          processing_attempts = 4, expires_at = 5000, delay_until = 1500,
          processing_deadline_duration = 30, processing_deadline = 1700, claim_expires_at = 1600,
          at_most_once = 1, application = 'app', namespace = 'ns', taskname = 'task',
          on_attempts_exceeded = 2, received_at = 900, bucket = 7 WHERE id = 'Claimed'
          """);
    }
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 0))) {
      List<Row> rows = store.load(0, 100);
      assertThat(rows)
          .extracting(row -> row.key() + " " + row.activation().id())
          .containsExactly(
              "1 Delay",
              "2 Complete",
              "3 Retry",
              "4 Failure",
              "5 Processing",
              "6 Claimed",
              "7 Pending",
              "8 undecodable",
              "9 retry");
      assertThat(rows.subList(0, 7))
          .allSatisfy(
              row -> assertThat(row.status().storedName()).isEqualTo(row.activation().id()));
      assertThat(rows)
          .extracting(row -> row.activation().derived())
          .containsExactly(false, false, false, false, false, false, false, false, true);
      assertThat(Rows.text(rows.get(5))).isEqualTo(Rows.text(claimed()));
      assertThat(Rows.text(rows.get(6))).isEqualTo(Rows.text(bare("Pending", 7, 1_000_000)));
      assertThat(rows)
          .as("no row waits for an offset commit that cannot come")
          .allMatch(Row::committed);
      assertThat(rows.get(7).activation().payload()).containsExactly(-1, -1, -1);
      assertThat(store.lastKey()).isEqualTo(9);
      assertThat(store.loadParked(0, 10)).isEmpty();
    }
  }

  @Test
  void readersSeeTheSameRowsBeforeAndAfter() throws SQLException {
    String everything =
        """
        SELECT id, hex(activation), "partition", "offset", added_at, received_at,
        processing_attempts, expires_at, delay_until, processing_deadline_duration,
        processing_deadline, claim_expires_at, status, at_most_once, application, namespace,
        taskname, on_attempts_exceeded, bucket FROM inflight_taskactivations ORDER BY id
        """;
    try (Outsider reference = reference(ReferenceTable.SQL)) {
      for (int i = 0; i < 20; i++) {
        insert(
            reference,
            "00000000-0000-0000-0000-0000000000" + (10 + i),
            100 + i,
            "Pending",
            PAYLOAD);
      }
      reference.run(
          """
          UPDATE inflight_taskactivations SET namespace = 'ns', received_at = 99, expires_at = 200,
          delay_until = 300, processing_deadline = 400, claim_expires_at = 500,
          bucket = 16 * substr(id, 35, 1) + substr(id, 36, 1)
          """);
      List<String> before = reference.rows(everything);
      SqliteStore.open(new SqliteOptions(file, 0)).close();
      assertThat(reference.rows(everything)).isEqualTo(before).hasSize(20);
      assertThat(
              reference.rows(
                  "SELECT type FROM sqlite_schema WHERE name LIKE '%inflight%' OR name LIKE"
                      + " 'idx%'"))
          .containsExactly("view");
    }
  }

  @Test
  void fileOfAnEarlierReferenceVersionIsMigrated() throws SQLException {
    String first =
        """
        CREATE TABLE inflight_taskactivations (
          id TEXT NOT NULL PRIMARY KEY,
          activation BLOB NOT NULL,
          partition INTEGER NOT NULL,
          offset INTEGER NOT NULL,
          added_at INTEGER NOT NULL,
          processing_attempts INTEGER NOT NULL,
          expires_at INTEGER,
          processing_deadline_duration INTEGER NOT NULL,
          processing_deadline INTEGER,
          status TEXT NOT NULL,
          at_most_once INTEGER NOT NULL DEFAULT 0,
          namespace TEXT
        ) STRICT
        """;
    try (Outsider reference = reference(first)) {
      insert(reference, "00000000-0000-0000-0000-0000000000ff", 1_000, "Pending", PAYLOAD);
      SqliteStore.open(new SqliteOptions(file, 0)).close();
      assertThat(
              reference.rows(
                  """
                  SELECT received_at, application, taskname, on_attempts_exceeded, bucket,
                  claim_expires_at IS NULL, delay_until IS NULL FROM inflight_taskactivations
                  """))
          .containsExactly("1000|||1|255|1|1");
    }
  }

  @Test
  void fileIsMigratedOnce() throws SQLException {
    try (Outsider reference = reference(ReferenceTable.SQL)) {
      insert(reference, "a", 1, "Pending", PAYLOAD);
    }
    String name;
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 0))) {
      name = store.name();
    }
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 0))) {
      assertThat(store.name()).isEqualTo(name);
      assertThat(store.load(0, 10)).hasSize(1);
    }
  }

  @Test
  void emptyFileOfTheReferenceIsMigrated() throws SQLException {
    reference(ReferenceTable.SQL).close();
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 0))) {
      assertThat(store.load(0, 10)).isEmpty();
      assertThat(store.lastKey()).isZero();
    }
  }

  @Test
  void failedMigrationLeavesTheFileUnchanged() throws SQLException {
    try (Outsider reference = reference(ReferenceTable.SQL)) {
      for (int i = 0; i < 100; i++) {
        insert(reference, "id-" + i, i, i == 50 ? "Strange" : "Pending", PAYLOAD);
      }
      List<String> schema = reference.rows("SELECT type, name, sql FROM sqlite_schema");
      assertThatThrownBy(() -> SqliteStore.open(new SqliteOptions(file, 0)))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.FATAL))
          .hasMessageContaining("id-50")
          .hasMessageContaining("Strange")
          .hasMessageContaining(file.toRealPath().toString());
      assertThat(reference.rows("SELECT type, name, sql FROM sqlite_schema")).isEqualTo(schema);
      assertThat(reference.rows("SELECT count(*) FROM inflight_taskactivations"))
          .containsExactly("100");
      reference.run("UPDATE inflight_taskactivations SET status = 'Pending'");
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 0))) {
      assertThat(store.load(0, 1000)).hasSize(100);
    }
  }

  /// File as the reference creates it, with its indexes and migrations table.
  private Outsider reference(String table) throws SQLException {
    Outsider reference = new Outsider(file);
    reference.rows("PRAGMA journal_mode = WAL");
    reference.run(
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL)",
        table,
        """
        CREATE INDEX idx_pending_activation
        ON inflight_taskactivations (status, added_at, namespace, id)
        """);
    return reference;
  }

  static void insert(Outsider reference, String id, long added, String status, byte[] payload)
      throws SQLException {
    try (PreparedStatement insert =
        reference
            .connection()
            .prepareStatement(
                """
                INSERT INTO inflight_taskactivations (id, activation, "partition", "offset",
                added_at, processing_attempts, processing_deadline_duration, status)
                VALUES (?, ?, 0, 0, ?, 0, 10, ?)
                """)) {
      insert.setString(1, id);
      insert.setBytes(2, payload);
      insert.setLong(3, added);
      insert.setString(4, status);
      insert.executeUpdate();
    }
  }

  private static Row claimed() {
    Activation activation =
        new Activation(
            "Claimed",
            "app",
            "ns",
            "task",
            PAYLOAD,
            new Origin("taskworker", 3, 42),
            900_000,
            5_000_000,
            1_500_000,
            30,
            FailurePolicy.DEAD_LETTER,
            true,
            false);
    return new Row(
        6,
        activation,
        Status.CLAIMED,
        999_000,
        4,
        1_600_000,
        1_700_000,
        false,
        true,
        Row.NONE,
        null);
  }

  private static Row bare(String id, long key, long added) {
    Activation activation =
        new Activation(
            id,
            "",
            "",
            "",
            PAYLOAD,
            new Origin("taskworker", 0, 0),
            0,
            Activation.NEVER,
            0,
            10,
            FailurePolicy.DISCARD,
            false,
            false);
    return new Row(
        key, activation, Status.PENDING, added, 0, Row.NONE, Row.NONE, false, true, Row.NONE, null);
  }
}
