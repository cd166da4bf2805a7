package io.taskbroker.store.sqlite;

import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowGroups;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;

/// Browser of a SQLite store. No index serves the searches of operators, since it would cost each
/// commit: a [ZoneMap] says which keys may match. They are read in windows, each a statement of
/// some tens of milliseconds, until the page is full or its time is over. No read transaction
/// outlives its statement, so the write-ahead log can be reset in between. Thread-safe: one lock.
public final class SqliteBrowser implements RowBrowser {
  private static final int BUSY_MILLISECONDS = 500;
  private static final long FIRST_WINDOW = 4_096;
  private static final long LARGEST_WINDOW = 1L << 40;
  private static final long SHORT_NANOS = 20_000_000;

  private static final String FIRST = "SELECT min(key) FROM activation WHERE key > ?";
  private static final String PAYLOAD = "SELECT payload FROM activation WHERE key = ?";

  private static final String GROUPS =
      """
      SELECT application, namespace, taskname, count(*), count(parked_until), min(received_at)
      FROM activation NOT INDEXED WHERE key >= ?1 AND key < ?2 GROUP BY 1, 2, 3
      """;

  private final Path file;
  private final ZoneMap zones;
  private final SqliteRowCodec codec = new SqliteRowCodec();
  private @Nullable Connection connection;
  private boolean closed;

  /// @param file of an open store
  /// @param zones of that store
  SqliteBrowser(Path file, ZoneMap zones) {
    this.file = file.toAbsolutePath();
    this.zones = zones;
  }

  @Override
  public synchronized Page browse(Query query) {
    long end = System.nanoTime() + query.within().toNanos();
    try {
      return browse(connected(), query, end);
    } catch (SQLException e) {
      disconnect();
      throw SqliteErrors.whileOpen(file, "search rows", e);
    }
  }

  private Page browse(Connection reading, Query query, long end) throws SQLException {
    List<Found> found = new ArrayList<>();
    try (PreparedStatement first = reading.prepareStatement(FIRST);
        PreparedStatement window = SearchStatement.prepare(reading, query)) {
      long size = FIRST_WINDOW;
      long reached = query.after().key();
      Optional<ZoneMap.Range> next = zones.next(reached + 1, query);
      while (next.isPresent()) {
        ZoneMap.Range range = next.get();
        long start = first(first, range.from() - 1);
        if (start < 0) {
          break;
        }
        reached = start - 1;
        if (start < range.to()) {
          long started = System.nanoTime();
          if (started - end > 0) {
            return new Page(found, Optional.of(new Position(0, reached)));
          }
          long to = Math.min(start + size, range.to());
          SearchStatement.window(window, start, to, query.limit() - found.size());
          read(window, found);
          if (found.size() == query.limit()) {
            return new Page(found, Optional.of(found.getLast().position()));
          }
          reached = to - 1;
          size = next(size, System.nanoTime() - started);
        }
        next = zones.next(reached + 1, query);
      }
      return new Page(found, Optional.empty());
    }
  }

  @Override
  public synchronized RowGroups groups(Duration within) {
    long end = System.nanoTime() + within.toNanos();
    try (PreparedStatement first = connected().prepareStatement(FIRST);
        PreparedStatement window = connected().prepareStatement(GROUPS)) {
      var sum = new RowGroups.Sum();
      long size = FIRST_WINDOW;
      long start = first(first, Long.MIN_VALUE);
      while (start >= 0) {
        long started = System.nanoTime();
        if (started - end > 0) {
          return sum.result(false);
        }
        window.setLong(1, start);
        window.setLong(2, start + size);
        try (ResultSet result = window.executeQuery()) {
          while (result.next()) {
            sum.add(
                new RowGroups.Group(
                    result.getString(1),
                    result.getString(2),
                    result.getString(3),
                    result.getLong(4),
                    result.getLong(5),
                    result.getLong(6)));
          }
        }
        start = first(first, start + size - 1);
        size = next(size, System.nanoTime() - started);
      }
      return sum.result(true);
    } catch (SQLException e) {
      disconnect();
      throw SqliteErrors.whileOpen(file, "count rows", e);
    }
  }

  /// Size of the next window, from the time that the last one took.
  private static long next(long size, long nanos) {
    if (nanos < SHORT_NANOS) {
      return Math.min(2 * size, LARGEST_WINDOW);
    }
    return nanos > 3 * SHORT_NANOS ? Math.max(size / 2, FIRST_WINDOW) : size;
  }

  private static long first(PreparedStatement first, long after) throws SQLException {
    first.setLong(1, after);
    try (ResultSet result = first.executeQuery()) {
      return result.next() ? SqliteRowCodec.time(result, 1, -1) : -1;
    }
  }

  private void read(PreparedStatement window, List<Found> found) throws SQLException {
    try (ResultSet result = window.executeQuery()) {
      while (result.next()) {
        var row = codec.read(result);
        found.add(
            new Found(
                new Position(0, row.key()), row, result.getLong(SearchStatement.PAYLOAD_BYTES)));
      }
    }
  }

  @Override
  public synchronized Optional<byte[]> payload(Position position) {
    try (PreparedStatement payload = connected().prepareStatement(PAYLOAD)) {
      payload.setLong(1, position.key());
      try (ResultSet result = payload.executeQuery()) {
        return result.next() ? Optional.of(result.getBytes(1)) : Optional.empty();
      }
    } catch (SQLException e) {
      disconnect();
      throw SqliteErrors.whileOpen(file, "read a payload", e);
    }
  }

  @Override
  public synchronized FinishedPage finished(FinishedQuery query) {
    try {
      return FinishedReader.read(connected(), query);
    } catch (SQLException e) {
      disconnect();
      throw SqliteErrors.whileOpen(file, "search finished tasks", e);
    }
  }

  private Connection connected() throws SQLException {
    if (closed) {
      throw new SQLException("the broker is stopping");
    }
    Connection current = connection;
    if (current == null) {
      var config = new SQLiteConfig();
      config.setReadOnly(true);
      config.setBusyTimeout(BUSY_MILLISECONDS);
      current = config.createConnection("jdbc:sqlite:" + file.toUri());
      connection = current;
    }
    return current;
  }

  private void disconnect() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      try {
        current.close();
      } catch (SQLException _) {
        // it only reads
      }
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    disconnect();
  }
}
