package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// Mapping of real SQLite errors.
final class SqliteErrorsTest {
  @TempDir private Path folder;

  @Test
  void h12FullDatabaseIsFull() throws SQLException {
    try (Outsider database = database()) {
      database.rows("PRAGMA max_page_count = 3");
      assertKind(Kind.FULL, () -> database.run("INSERT INTO t VALUES (1, zeroblob(100000))"));
    }
  }

  @Test
  void heldLockIsTransient() throws SQLException {
    try (Outsider database = database();
        Outsider other = new Outsider(folder.resolve("file"))) {
      database.run("BEGIN IMMEDIATE");
      other.rows("PRAGMA busy_timeout = 1");
      assertKind(Kind.TRANSIENT, () -> other.run("INSERT INTO t VALUES (1, x'')"));
    }
  }

  @Test
  void h12DataThatTheStoreCannotHoldIsData() throws SQLException {
    try (Outsider database = database()) {
      assertKind(Kind.DATA, () -> database.run("INSERT INTO t VALUES (1, NULL)"));
      assertKind(Kind.DATA, () -> database.run("INSERT INTO t VALUES (1, 'text')"));
      assertKind(Kind.DATA, () -> database.run("INSERT INTO t VALUES ('text', x'')"));
      assertKind(Kind.DATA, () -> database.run("INSERT INTO t VALUES (1, zeroblob(2000000000))"));
    }
  }

  @Test
  void fileThatIsNoDatabaseIsFatal() throws IOException, SQLException {
    Files.writeString(folder.resolve("file"), "This is a text and not a database.".repeat(100));
    try (Outsider text = new Outsider(folder.resolve("file"))) {
      StoreException error = assertKind(Kind.FATAL, () -> text.rows("SELECT * FROM sqlite_schema"));
      assertThat(error).hasMessageContaining("/file is damaged or not a SQLite database");
    }
  }

  @Test
  void missingTableAndReadOnlyFileAreFatal() throws SQLException {
    try (Outsider database = database()) {
      assertKind(Kind.FATAL, () -> database.run("INSERT INTO nothing VALUES (1)"));
      database.run("PRAGMA query_only = 1");
      assertKind(Kind.FATAL, () -> database.run("INSERT INTO t VALUES (1, x'')"));
    }
  }

  @Test
  void ioErrorIsTransientWhileTheStoreIsOpen() {
    SQLException fault = new SQLiteException("disk I/O error", SQLiteErrorCode.SQLITE_IOERR_READ);
    assertThat(SqliteErrors.whileOpen(folder, "commit", fault).kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(SqliteErrors.atOpen(folder, fault).kind()).isEqualTo(Kind.FATAL);
    SQLException missing = new SQLiteException("no file", SQLiteErrorCode.SQLITE_CANTOPEN);
    assertThat(SqliteErrors.whileOpen(folder, "commit", missing).kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(SqliteErrors.atOpen(folder, missing).kind()).isEqualTo(Kind.FATAL);
    assertThat(SqliteErrors.whileOpen(folder, "commit", new SQLException("closed")).kind())
        .isEqualTo(Kind.FATAL);
  }

  private Outsider database() throws SQLException {
    Outsider database = new Outsider(folder.resolve("file"));
    database.run("CREATE TABLE t (key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT");
    return database;
  }

  private StoreException assertKind(Kind kind, ThrowingCallable statement) {
    SQLException cause = catchThrowableOfType(SQLException.class, statement);
    StoreException error = SqliteErrors.whileOpen(folder.resolve("file"), "commit a batch", cause);
    assertThat(error.kind()).as("%s", cause).isEqualTo(kind);
    assertThat(error)
        .hasCause(cause)
        .hasMessageStartingWith("Could not commit a batch")
        .hasMessageContaining(folder.resolve("file").toString());
    assertThat(error.getMessage()).doesNotContain("\n");
    return error;
  }
}
