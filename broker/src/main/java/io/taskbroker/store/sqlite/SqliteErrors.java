package io.taskbroker.store.sqlite;

import io.taskbroker.runtime.FailureText;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.nio.file.Path;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// Mapping of SQLite errors to store exceptions.
final class SqliteErrors {
  private SqliteErrors() {}

  /// Error of an operation on an open store.
  static StoreException whileOpen(Path file, String operation, SQLException error) {
    int code = code(error);
    // A file that was open before can be opened again once descriptors are free.
    Kind kind = code == SQLiteErrorCode.SQLITE_CANTOPEN.code ? Kind.TRANSIENT : kind(code);
    return translate(
        file,
        operation,
        kind,
        error,
        "restart the broker: it checks the file, and replaces a damaged one");
  }

  /// Error of opening a store: an I/O error then will not pass.
  static StoreException atOpen(Path file, SQLException error) {
    int code = code(error);
    Kind kind = code == SQLiteErrorCode.SQLITE_IOERR.code ? Kind.FATAL : kind(code);
    return translate(
        file,
        "open the store",
        kind,
        error,
        "move it away, or configure another path for the store");
  }

  /// Whether the file is damaged or no database.
  static boolean isDamage(SQLException error) {
    int code = code(error);
    return code == SQLiteErrorCode.SQLITE_NOTADB.code
        || code == SQLiteErrorCode.SQLITE_CORRUPT.code;
  }

  private static StoreException translate(
      Path file, String operation, Kind kind, SQLException error, String advice) {
    String reason = FailureText.inOneLine(error);
    String message =
        isDamage(error)
            ? "Could not %s: %s is damaged or not a SQLite database (%s); %s"
                .formatted(operation, file, reason, advice)
            : "Could not %s in %s: %s; %s".formatted(operation, file, reason, advice(kind));
    return new StoreException(kind, message, error);
  }

  /// Primary result code; -1 if the driver failed.
  private static int code(SQLException error) {
    return error instanceof SQLiteException sqlite ? sqlite.getResultCode().code & 0xFF : -1;
  }

  private static Kind kind(int code) {
    SQLiteErrorCode primary = SQLiteErrorCode.getErrorCode(code);
    return switch (primary) {
      case SQLITE_FULL -> Kind.FULL;
      case SQLITE_BUSY,
          SQLITE_LOCKED,
          SQLITE_IOERR,
          SQLITE_NOMEM,
          SQLITE_INTERRUPT,
          SQLITE_ABORT,
          SQLITE_PROTOCOL,
          SQLITE_SCHEMA ->
          Kind.TRANSIENT;
      case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_RANGE -> Kind.DATA;
      // Among them NOTADB, CORRUPT, CANTOPEN, READONLY, PERM and a missing table.
      default -> Kind.FATAL;
    };
  }

  private static String advice(Kind kind) {
    return switch (kind) {
      case TRANSIENT -> "retry";
      case FULL -> "free space on the disk";
      case DATA -> "the store cannot hold the data";
      case FATAL -> "check the file, its folder and their permissions";
    };
  }
}
