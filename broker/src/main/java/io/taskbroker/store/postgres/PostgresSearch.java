package io.taskbroker.store.postgres;

import io.taskbroker.activation.Status;
import io.taskbroker.store.RowBrowser.Found;
import io.taskbroker.store.RowBrowser.Page;
import io.taskbroker.store.RowBrowser.Position;
import io.taskbroker.store.RowBrowser.Query;
import io.taskbroker.store.RowBrowser.StatusAt;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/// One search of the rows of all brokers. Ids have an index. Other searches go through the primary
/// key, partition by partition, in windows of some tens of milliseconds: each is read once, and
/// yields the keys of the rows that match; only those rows are read in full. Confined to the thread
/// of the search.
final class PostgresSearch {
  private static final int FIRST_WINDOW = 4_096;
  private static final int LARGEST_WINDOW = 1 << 20;
  private static final long SHORT_NANOS = 20_000_000;
  private static final int PAYLOAD_BYTES = 29;
  private static final int PARTITION = 30;

  private static final String ROWS =
      """
      SELECT %s, octet_length(t.activation), t.partition_id FROM taskbroker_activation t
      """
          .formatted(PostgresRowCodec.COLUMNS.replace("t.activation", "''::bytea"));

  private static final String BY_ID = ROWS + "WHERE %s ORDER BY t.partition_id + 0, t.key LIMIT ?";

  private static final String BY_KEY =
      ROWS + "WHERE t.partition_id = ? AND t.key = ANY(?) ORDER BY t.key";

  private static final String NEXT_PARTITION =
      "SELECT min(partition_id) FROM taskbroker_activation WHERE partition_id >= ?";

  /// The last key of a window, its number of rows, and the keys of those that match, in the order
  /// in which they are read.
  static final String WINDOW =
      """
      SELECT max(w.key), count(*), (array_agg(w.key) FILTER (WHERE w.matches))[1:?] FROM
        (SELECT t.key, %s AS matches FROM taskbroker_activation t
         WHERE t.partition_id = ? AND t.key > ? ORDER BY t.key LIMIT ?) w
      """;

  private final Connection reading;
  private final PostgresRowCodec codec;
  private final Query query;
  private final String conditions;
  private final List<Object> values = new ArrayList<>();

  /// @param codec of the thread that searches
  PostgresSearch(Connection reading, PostgresRowCodec codec, Query query) {
    this.reading = reading;
    this.codec = codec;
    this.query = query;
    this.conditions = conditions();
  }

  /// The next page.
  ///
  /// @param end time of [System#nanoTime] at which it ends, full or not
  Page page(long end) throws SQLException {
    return query.id().isPresent() ? byId() : walk(end);
  }

  private Page byId() throws SQLException {
    Position after = query.after();
    // An order by the primary key would read the whole table for one id.
    String where = conditions + " AND (t.partition_id, t.key) > (?, ?)";
    try (PreparedStatement select = reading.prepareStatement(BY_ID.formatted(where))) {
      int next = bind(select, 1);
      select.setInt(next, after.partitionId());
      select.setLong(next + 1, after.key());
      select.setInt(next + 2, query.limit());
      List<Found> found = read(select);
      boolean full = found.size() == query.limit();
      return new Page(found, full ? Optional.of(found.getLast().position()) : Optional.empty());
    }
  }

  private Page walk(long end) throws SQLException {
    List<Found> found = new ArrayList<>();
    Position reached = query.after();
    int size = FIRST_WINDOW;
    while (true) {
      long started = System.nanoTime();
      if (started - end > 0) {
        return new Page(found, Optional.of(reached));
      }
      Optional<Integer> partition = partition(reached);
      if (partition.isEmpty()) {
        return new Page(found, Optional.empty());
      }
      if (reached.partitionId() != partition.get()) {
        reached = new Position(partition.get(), Long.MIN_VALUE);
      }
      int room = query.limit() - found.size();
      Window window = window(reached, size, room);
      if (!window.matches().isEmpty()) {
        found.addAll(rows(reached.partitionId(), window.matches()));
      }
      if (window.matches().size() == room) {
        long last = window.matches().getLast();
        return new Page(found, Optional.of(new Position(reached.partitionId(), last)));
      }
      boolean ended = window.rows() < size;
      reached = new Position(reached.partitionId(), ended ? Long.MAX_VALUE : window.last());
      size = System.nanoTime() - started < SHORT_NANOS ? Math.min(2 * size, LARGEST_WINDOW) : size;
    }
  }

  /// The first partition that has rows and is not read to its end.
  private Optional<Integer> partition(Position reached) throws SQLException {
    try (PreparedStatement select = reading.prepareStatement(NEXT_PARTITION)) {
      boolean ended = reached.key() == Long.MAX_VALUE;
      select.setInt(1, reached.partitionId() + (ended ? 1 : 0));
      try (ResultSet result = select.executeQuery()) {
        result.next();
        int partition = result.getInt(1);
        return result.wasNull() ? Optional.empty() : Optional.of(partition);
      }
    }
  }

  /// Rows with adjacent keys.
  ///
  /// @param matches keys of those that match, in order
  private record Window(long last, int rows, List<Long> matches) {}

  private Window window(Position after, int size, int limit) throws SQLException {
    try (PreparedStatement select = reading.prepareStatement(WINDOW.formatted(conditions))) {
      select.setInt(1, limit);
      int next = bind(select, 2);
      select.setInt(next, after.partitionId());
      select.setLong(next + 1, after.key());
      select.setInt(next + 2, size);
      try (ResultSet result = select.executeQuery()) {
        result.next();
        Array matches = result.getArray(3);
        return new Window(
            result.getLong(1),
            result.getInt(2),
            matches == null ? List.of() : List.of((Long[]) matches.getArray()));
      }
    }
  }

  private List<Found> rows(int partition, List<Long> keys) throws SQLException {
    try (PreparedStatement select = reading.prepareStatement(BY_KEY)) {
      select.setInt(1, partition);
      select.setArray(2, reading.createArrayOf("bigint", keys.toArray()));
      return read(select);
    }
  }

  private List<Found> read(PreparedStatement select) throws SQLException {
    List<Found> found = new ArrayList<>();
    try (ResultSet result = select.executeQuery()) {
      while (result.next()) {
        var row = codec.read(result);
        found.add(
            new Found(
                new Position(result.getInt(PARTITION), row.key()),
                row,
                result.getLong(PAYLOAD_BYTES)));
      }
    }
    return found;
  }

  /// Binds the values of the conditions; returns the next parameter.
  private int bind(PreparedStatement select, int first) throws SQLException {
    for (int i = 0; i < values.size(); i++) {
      select.setObject(first + i, values.get(i));
    }
    return first + values.size();
  }

  private String conditions() {
    var all = new StringJoiner(" AND ", "(", ")").setEmptyValue("true");
    equal(all, "id", query.id());
    equal(all, "application", query.application());
    equal(all, "namespace", query.namespace());
    equal(all, "taskname", query.taskname());
    equal(all, "priority", query.priority());
    query.status().ifPresent(asked -> status(all, asked));
    query
        .parked()
        .ifPresent(parked -> all.add("t.parked_until IS " + (parked ? "NOT NULL" : "NULL")));
    if (query.parkedTo() != Long.MAX_VALUE) {
      add(all, "(t.parked_until IS NULL OR t.parked_until <= ?)", query.parkedTo());
    }
    if (query.receivedFrom() != Long.MIN_VALUE) {
      add(all, "t.received_at >= to_timestamp(? / 1000::float8)", query.receivedFrom());
    }
    if (query.receivedTo() != Long.MAX_VALUE) {
      add(all, "t.received_at < to_timestamp(? / 1000::float8)", query.receivedTo());
    }
    if (query.attempts() > 0) {
      add(all, "(t.parked_until IS NULL OR t.processing_attempts >= ?)", query.attempts());
    }
    return all.toString();
  }

  private void status(StringJoiner all, StatusAt asked) {
    if (asked.status() == Status.PENDING) {
      add(
          all,
          "(t.parked_until IS NULL OR t.status = 'Pending' OR (t.status = 'Delay'"
              + " AND coalesce(t.delay_until <= to_timestamp(? / 1000::float8), true)))",
          asked.at());
    } else if (asked.status() == Status.DELAY) {
      add(
          all,
          "(t.parked_until IS NULL OR (t.status = 'Delay'"
              + " AND t.delay_until > to_timestamp(? / 1000::float8)))",
          asked.at());
    } else {
      add(all, "(t.parked_until IS NULL OR t.status = ?)", asked.status().storedName());
    }
  }

  private void equal(StringJoiner all, String column, Optional<?> value) {
    value.ifPresent(it -> add(all, "t." + column + " = ?", it));
  }

  private void add(StringJoiner all, String condition, Object value) {
    all.add(condition);
    values.add(value);
  }
}
