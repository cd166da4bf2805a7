package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Status;
import io.taskbroker.store.RowBrowser.Query;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Statement of a search in a window of keys, with only the conditions that the search has: each
/// costs something for each row. Confined to the thread of the search.
final class SearchStatement {
  /// Column of the payload's size.
  static final int PAYLOAD_BYTES = 30;

  private static final int FIRST_VALUE = 4;
  private static final String WINDOW =
      """
      SELECT %s, length(payload) FROM activation NOT INDEXED WHERE key >= ?1 AND key < ?2\
      """
          .formatted(SqliteRowCodec.COLUMNS.replace("payload", "x'' AS none"));

  private final StringBuilder conditions = new StringBuilder();
  private final List<Object> values = new ArrayList<>();

  private SearchStatement() {}

  /// The prepared statement; [#window] sets its other parameters.
  static PreparedStatement prepare(Connection connection, Query query) throws SQLException {
    var search = new SearchStatement();
    search.equal("id", query.id());
    search.equal("application", query.application());
    search.equal("namespace", query.namespace());
    search.equal("taskname", query.taskname());
    search.equal("priority", query.priority());
    query.parked().ifPresent(search::parked);
    if (query.parkedTo() != Long.MAX_VALUE) {
      search.add("(parked_until IS NULL OR parked_until <= ?)", query.parkedTo());
    }
    query.status().ifPresent(asked -> search.status(asked.status(), asked.at()));
    if (query.receivedFrom() != Long.MIN_VALUE) {
      search.add("received_at >= ?", query.receivedFrom());
    }
    if (query.receivedTo() != Long.MAX_VALUE) {
      search.add("received_at < ?", query.receivedTo());
    }
    if (query.attempts() > 0) {
      search.add("(parked_until IS NULL OR attempts >= ?)", query.attempts());
    }
    return search.prepared(connection);
  }

  private void equal(String column, Optional<?> value) {
    value.ifPresent(it -> add(column + " = ?", it));
  }

  private void parked(boolean parked) {
    add(parked ? "parked_until IS NOT NULL" : "parked_until IS NULL");
  }

  private void status(Status status, long at) {
    switch (status) {
      case PENDING ->
          add(
              "(parked_until IS NULL OR status = 'Pending'"
                  + " OR (status = 'Delay' AND ifnull(delay_until, 0) <= ?))",
              at);
      case DELAY ->
          add("(parked_until IS NULL OR (status = 'Delay' AND ifnull(delay_until, 0) > ?))", at);
      default -> add("(parked_until IS NULL OR status = ?)", status.storedName());
    }
  }

  /// @param condition with one question mark at most
  private void add(String condition, Object... more) {
    conditions.append(" AND ").append(condition.replace("?", "?" + (FIRST_VALUE + values.size())));
    values.addAll(List.of(more));
  }

  private PreparedStatement prepared(Connection connection) throws SQLException {
    PreparedStatement statement =
        connection.prepareStatement(WINDOW + conditions + " ORDER BY key LIMIT ?3");
    for (int i = 0; i < values.size(); i++) {
      statement.setObject(FIRST_VALUE + i, values.get(i));
    }
    return statement;
  }

  /// Sets the window, its first key included, and the limit.
  static void window(PreparedStatement statement, long from, long to, int limit)
      throws SQLException {
    statement.setLong(1, from);
    statement.setLong(2, to);
    statement.setInt(3, limit);
  }
}
