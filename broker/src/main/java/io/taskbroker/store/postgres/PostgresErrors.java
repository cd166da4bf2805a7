package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.sql.SQLException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/// What Postgres' errors mean for the operation that met with them, by their SQLSTATE.
final class PostgresErrors {
  /// What the driver says where it and a server could not agree on TLS, in any language.
  private static final Pattern TLS = Pattern.compile("SSL|HostnameVerifier");

  /// The SQLSTATE of whatever a pooler has to say, before PgBouncer 1.19.
  private static final String PROTOCOL = "08P01";

  /// What a pooler says that takes a person, where the server has a SQLSTATE for it.
  private static final Pattern OF_POOLER =
      Pattern.compile(
          "authentication failed|auth failed|no such user|no such database|does not exist"
              + "|unsupported startup parameter|not allowed");

  private PostgresErrors() {}

  /// @param what the server and database
  static StoreException translate(String what, String doing, SQLException error) {
    Kind kind = kind(error);
    String reason = String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
    return new StoreException(
        kind,
        "Could not %s in %s: %s (SQLSTATE %s); %s"
            .formatted(doing, what, reason, state(error), advice(kind, error)),
        error);
  }

  /// Whether the connection is of no use after the error.
  static boolean endsConnection(SQLException error) {
    String state = state(error);
    return state.isEmpty()
        || state.startsWith("08")
        || state.startsWith("57P")
        || state.startsWith("XX")
        || switch (state) {
          // Of a standby that is no primary; of plans that know other tables.
          case "25006", "25P03", "25P04", "0A000", "26000" -> true;
          default -> false;
        };
  }

  /// Whether a constraint of that name refused it.
  static boolean isOf(SQLException error, String constraint) {
    return error instanceof PSQLException postgres
        && constraint.equals(constraint(postgres.getServerErrorMessage()));
  }

  private static @Nullable String constraint(@Nullable ServerErrorMessage message) {
    return message == null ? null : message.getConstraint();
  }

  /// The SQLSTATE of the error, or of what caused it; empty if there is none.
  static String state(SQLException error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql && sql.getSQLState() != null) {
        return sql.getSQLState();
      }
    }
    return "";
  }

  /// Whether the server says that there is no database of that name. A pooler says it in words of
  /// its own, and as an error of the protocol.
  static boolean isMissing(SQLException error, String database) {
    String state = state(error);
    String message = String.valueOf(error.getMessage());
    return state.equals("3D000")
        || (state.equals(PROTOCOL)
            && (message.contains("database \"" + database + "\" does not exist")
                || message.contains("no such database: " + database)));
  }

  /// Whether it and a server could not agree on TLS.
  static boolean isOfTls(SQLException error) {
    return TLS.matcher(String.valueOf(error.getMessage())).find();
  }

  private static Kind kind(SQLException error) {
    String state = state(error);
    String message = String.valueOf(error.getMessage());
    boolean takesAPerson =
        state.equals(PROTOCOL)
            && OF_POOLER.matcher(message).find()
            && !message.contains("server_login_retry"); // what was so some seconds ago
    return takesAPerson ? Kind.FATAL : kind(state);
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
            // Connection, rollback, resources, state of objects, intervention, system, internal.
            case "08", "40", "53", "55", "57", "58", "XX" -> Kind.TRANSIENT;
            // Data, constraints, limits of what a row or an index holds.
            case "22", "23", "54" -> Kind.DATA;
            // Among them 28 and 42: passwords, permissions, tables that are not there.
            default -> Kind.FATAL;
          };
    };
  }

  private static String advice(Kind kind, SQLException error) {
    String message = String.valueOf(error.getMessage());
    if (message.endsWith(", no encryption")) {
      return "it lets in only who speaks TLS: set sslmode in store.pg.query_params to require, or"
          + " better to verify-full";
    }
    if (isOfTls(error)) {
      return "unless that passes, check sslmode and sslrootcert in store.pg.query_params, and the"
          + " certificate of the server";
    }
    return switch (state(error)) {
      case "25006" -> "connect to the primary; until it takes writes it is tried again";
      case "53300" -> "raise max_connections of the server, or the limit of the role or database";
      case "57P03" -> "the server starts, stops or recovers; it is tried again";
      case "28P01", "28000" -> "correct the user and password in store.pg, or create the role";
      case "3D000" -> "make the database by --run migrations, or set store.pg.run_migrations";
      case "42501" ->
          "grant the user what is missing: USAGE on the schema, and what docs/operations.md lists;"
              + " --run migrations grants it to store.pg.username";
      default -> advice(kind);
    };
  }

  private static String advice(Kind kind) {
    return switch (kind) {
      case TRANSIENT -> "it is worth trying again";
      case FULL -> "make room on the disk of the server";
      case DATA -> "the store cannot hold it";
      case FATAL -> "check the database, its tables (--run migrations), the user and its rights";
    };
  }
}
