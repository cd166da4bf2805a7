package io.taskbroker.store.postgres;

import io.taskbroker.store.RuleHistory;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Table of the versions of the rules, which all brokers of the database follow. Thread-safe.
final class RuleVersionTable implements RuleHistory {
  private static final String COLUMNS =
      "number, (extract(epoch FROM at) * 1000)::bigint, who, why, rules";

  private static final String READ =
      "SELECT " + COLUMNS + " FROM taskbroker_rules_version ORDER BY number DESC LIMIT ?";

  /// Of two brokers that add the same number, the second waits for the first, and adds nothing.
  private static final String APPEND =
      """
      INSERT INTO taskbroker_rules_version (number, at, who, why, rules)
      SELECT u.number, to_timestamp(u.at / 1000::float8), u.who, u.why, u.rules
      FROM (SELECT ?::bigint AS number, ?::bigint AS at, ?::text AS who, ?::text AS why, \
      ?::text AS rules) u
      WHERE u.number = 1 + (SELECT coalesce(max(number), 0) FROM taskbroker_rules_version)
      ON CONFLICT DO NOTHING
      """;

  private static final String FORGET = "DELETE FROM taskbroker_rules_version WHERE number <= ?";

  private final Database database;

  RuleVersionTable(Database database) {
    this.database = database;
  }

  /// Pooled access to the database.
  interface Database {
    /// @param operation name of the operation, for the message of a failure
    <T> T with(String operation, Work<T> work);
  }

  /// Work on a connection in auto-commit mode.
  interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  @Override
  public Optional<Version> latest() {
    return read(1).stream().findFirst();
  }

  @Override
  public List<Version> versions() {
    return read(KEPT);
  }

  private List<Version> read(int limit) {
    return database.with(
        "read the rules",
        connection -> {
          try (PreparedStatement read = connection.prepareStatement(READ)) {
            new Binder(read).set(limit);
            List<Version> versions = new ArrayList<>();
            try (ResultSet result = read.executeQuery()) {
              while (result.next()) {
                versions.add(
                    new Version(
                        result.getLong(1),
                        Instant.ofEpochMilli(result.getLong(2)),
                        result.getString(3),
                        result.getString(4),
                        result.getString(5)));
              }
            }
            return versions;
          }
        });
  }

  @Override
  public boolean append(Version version) {
    return database.with("write the rules", connection -> append(connection, version));
  }

  private static boolean append(Connection connection, Version version) throws SQLException {
    try (PreparedStatement append = connection.prepareStatement(APPEND)) {
      new Binder(append)
          .set(version.number())
          .set(version.at().toEpochMilli())
          .set(version.who())
          .set(version.why())
          .set(version.rules());
      if (append.executeUpdate() == 0) {
        return false;
      }
    }
    try (PreparedStatement forget = connection.prepareStatement(FORGET)) {
      new Binder(forget).set(version.number() - KEPT);
      forget.executeUpdate();
    }
    return true;
  }
}
