package io.taskbroker.store.sqlite;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.nio.file.Path;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// What SQLite's errors mean for the operation that met with them.
final class SqliteErrors {
  private SqliteErrors() {}

  /// The error of an operation on a store that is open.
  static StoreException whileOpen(Path file, String operation, SQLException error) {
    int code = code(error);
    // What could be opened before can be again, once there are descriptors for it.
    Kind kind = code == SQLiteErrorCode.SQLITE_CANTOPEN.code ? Kind.TRANSIENT : kind(code);
    return translate(
        file,
        operation,
        kind,
        error,
        "start the broker again: it looks at the file, and replaces a damaged one");
  }

  /// The error of opening a store: what cannot be read then will not be readable later.
  static StoreException atOpen(Path file, SQLException error) {
    int code = code(error);
    Kind kind = code == SQLiteErrorCode.SQLITE_IOERR.code ? Kind.FATAL : kind(code);
    return translate(
        file, "open the store", kind, error, "move it away, or give the store another path");
  }

  /// Whether the error says that the file is damaged, or no database.
  static boolean isDamage(SQLException error) {
    int code = code(error);
    return code == SQLiteErrorCode.SQLITE_NOTADB.code
        || code == SQLiteErrorCode.SQLITE_CORRUPT.code;
  }

  private static StoreException translate(
      Path file, String operation, Kind kind, SQLException error, String cure) {
    String reason = String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
    String message =
        isDamage(error)
            ? "Could not %s: %s is not a SQLite database, or a damaged one (%s); %s"
                .formatted(operation, file, reason, cure)
            : "Could not %s in %s: %s; %s".formatted(operation, file, reason, advice(kind));
    return new StoreException(kind, message, error);
  }

  /// The primary result code; -1 if it was the driver that failed.
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
      case TRANSIENT -> "it is worth trying again";
      case FULL -> "make room on the disk";
      case DATA -> "the store cannot hold it";
      case FATAL -> "check the file, its folder and who may write to them";
    };
  }
}
