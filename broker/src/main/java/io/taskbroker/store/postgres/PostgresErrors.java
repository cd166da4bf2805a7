package io.taskbroker.store.postgres;

import io.taskbroker.runtime.FailureText;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.sql.SQLException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/// Classification of Postgres errors by SQLSTATE.
final class PostgresErrors {
  /// Words in the messages of the driver, in any language, for a failed TLS negotiation.
  private static final Pattern TLS = Pattern.compile("SSL|HostnameVerifier");

  /// SQLSTATE of every error that a pooler before PgBouncer 1.19 reports.
  private static final String PROTOCOL_VIOLATION = "08P01";

  /// Pooler errors that need an operator. The server itself reports them by an SQLSTATE of their
  /// own.
  private static final Pattern POOLER_FATAL =
      Pattern.compile(
          "authentication failed|auth failed|no such user|no such database|does not exist"
              + "|unsupported startup parameter|not allowed");

  private PostgresErrors() {}

  /// @param target the server and database
  /// @param operation a verb phrase that follows "Could not"
  static StoreException translate(String target, String operation, SQLException error) {
    Kind kind = kind(error);
    String reason = FailureText.inOneLine(error);
    return new StoreException(
        kind,
        "Could not %s in %s: %s (SQLSTATE %s); %s"
            .formatted(operation, target, reason, state(error), advice(kind, error)),
        error);
  }

  /// Whether the connection is unusable after the error.
  static boolean breaksConnection(SQLException error) {
    String state = state(error);
    return state.isEmpty()
        || state.startsWith("08")
        || state.startsWith("57P")
        || state.startsWith("XX")
        || switch (state) {
          // A standby instead of a primary; plans for old table definitions.
          case "25006", "25P03", "25P04", "0A000", "26000" -> true;
          default -> false;
        };
  }

  /// Whether a constraint of that name caused the error.
  static boolean isConstraint(SQLException error, String constraint) {
    return error instanceof PSQLException postgres
        && constraint.equals(constraint(postgres.getServerErrorMessage()));
  }

  private static @Nullable String constraint(@Nullable ServerErrorMessage message) {
    return message == null ? null : message.getConstraint();
  }

  /// SQLSTATE of the error or of its nearest cause that has one; empty if none has.
  static String state(SQLException error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql && sql.getSQLState() != null) {
        return sql.getSQLState();
      }
    }
    return "";
  }

  /// Whether the error means that the database does not exist. A pooler reports it as a protocol
  /// violation, in words of its own.
  static boolean isMissing(SQLException error, String database) {
    String state = state(error);
    String message = String.valueOf(error.getMessage());
    return state.equals("3D000")
        || (state.equals(PROTOCOL_VIOLATION)
            && (message.contains("database \"" + database + "\" does not exist")
                || message.contains("no such database: " + database)));
  }

  /// Whether TLS negotiation failed.
  static boolean isOfTls(SQLException error) {
    return TLS.matcher(String.valueOf(error.getMessage())).find();
  }

  private static Kind kind(SQLException error) {
    String state = state(error);
    String message = String.valueOf(error.getMessage());
    boolean needsOperator =
        state.equals(PROTOCOL_VIOLATION)
            && POOLER_FATAL.matcher(message).find()
            && !message.contains("server_login_retry"); // a cached error of some seconds ago
    return needsOperator ? Kind.FATAL : kind(state);
  }

  private static Kind kind(String state) {
    if (state.length() < 2) {
      return Kind.TRANSIENT;
    }
    return switch (state) {
      case "53100" -> Kind.FULL;
      case "25006", "25P02", "25P03", "25P04", "0A000", "26000" -> Kind.TRANSIENT;
      case "XX001", "XX002" -> Kind.FATAL;
      default ->
          switch (state.substring(0, 2)) {
            // Connection, rollback, resources, object state, operator intervention, system,
            // internal.
            case "08", "40", "53", "55", "57", "58", "XX" -> Kind.TRANSIENT;
            // Data, constraints, size limits of a row or an index entry.
            case "22", "23", "54" -> Kind.DATA;
            // Including 28 and 42: authentication, permissions, missing tables.
            default -> Kind.FATAL;
          };
    };
  }

  private static String advice(Kind kind, SQLException error) {
    String message = String.valueOf(error.getMessage());
    if (message.endsWith(", no encryption")) {
      return "the server requires TLS: set sslmode in store.pg.query_params to require, or"
          + " better verify-full";
    }
    if (isOfTls(error)) {
      return "if this persists, check sslmode and sslrootcert in store.pg.query_params, and the"
          + " certificate of the server";
    }
    return switch (state(error)) {
      case "25006" -> "connect to the primary; the broker retries until the server accepts writes";
      case "53300" -> "raise max_connections of the server, or the limit of the role or database";
      case "57P03" -> "the server is starting, stopping or recovering; the broker retries";
      case "28P01", "28000" -> "correct the user and password in store.pg, or create the role";
      case "3D000" -> "create the database by --run migrations, or set store.pg.run_migrations";
      case "42501" ->
          "grant the missing privileges to the user: USAGE on the schema, and what"
              + " docs/operations.md lists; --run migrations grants it to store.pg.username";
      default -> advice(kind);
    };
  }

  private static String advice(Kind kind) {
    return switch (kind) {
      case TRANSIENT -> "retry";
      case FULL -> "free disk space on the server";
      case DATA -> "the store cannot store this value";
      case FATAL ->
          "check the database, its tables (--run migrations), the user and its privileges";
    };
  }
}
