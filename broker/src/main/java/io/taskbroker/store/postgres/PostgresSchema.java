package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Schema that holds the tables of a store. It is found by the tables, not by the `search_path` of
/// a user, which may hide them; every session of the broker then sets it.
record PostgresSchema(String name) {
  private static final String OF_TABLE =
      """
      SELECT n.nspname, coalesce(n.nspname = ANY (current_schemas(false)), FALSE)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = ? AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
      ORDER BY array_position(current_schemas(false), n.nspname) NULLS LAST, n.nspname
      """;

  /// Finds the schema with a table of that name. Of several, the first on the search path.
  ///
  /// @throws StoreException of kind `FATAL` if several have it and none is on the search path
  static Optional<PostgresSchema> of(Connection connection, String table) throws SQLException {
    List<String> found = new ArrayList<>();
    boolean isOnPath = false;
    try (PreparedStatement find = connection.prepareStatement(OF_TABLE)) {
      new Binder(find).set(table);
      try (ResultSet result = find.executeQuery()) {
        while (result.next()) {
          found.add(result.getString(1));
          isOnPath |= result.getBoolean(2);
        }
      }
    }
    if (found.size() > 1 && !isOnPath) {
      throw new StoreException(
          Kind.FATAL,
          "The schemas %s have a table %s each: choose one by currentSchema=NAME in store.pg.query_params"
              .formatted(found, table),
          null);
    }
    return found.stream().findFirst().map(PostgresSchema::new);
  }

  /// The schema for new tables.
  ///
  /// @throws StoreException of kind `FATAL` if the search path names no existing schema
  static PostgresSchema ofNewTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery("SELECT current_schema(), current_setting('search_path')")) {
      result.next();
      String current = result.getString(1);
      if (current == null) {
        throw new StoreException(
            Kind.FATAL,
            "There is no schema for new tables: none of the search_path %s exists; create one, or name another by currentSchema=NAME in store.pg.query_params"
                .formatted(result.getString(2)),
            null);
      }
      return new PostgresSchema(current);
    }
  }

  /// The quoted name for SQL.
  String quoted() {
    return '"' + name.replace("\"", "\"\"") + '"';
  }
}
