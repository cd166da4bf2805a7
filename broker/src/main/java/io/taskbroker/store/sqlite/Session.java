package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Status;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;

/// Only connection of a store to its file, with its prepared statements. It is always in a
/// transaction, which begins with the first statement and ends with [#commit] or [#rollback].
/// Confined to one thread.
final class Session implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  static final int CHECKPOINT_PAGES = 16_000;

  /// An epoch is its start time in milliseconds, shifted left by this many bits; it fits into the
  /// lock file.
  private static final int EPOCHS_PER_MILLI_BITS = 8;

  /// Outside readers never block the writer; outside writers must be brief.
  private static final int BUSY_MILLISECONDS = 500;

  private static final String[] SETTINGS = {
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = " + CHECKPOINT_PAGES,
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
  };

  private final Connection connection;
  private final Statements statements;
  private final PreparedStatement advance;
  private final PreparedStatement writer;
  private final PreparedStatement pages;
  private final PreparedStatement freePages;
  private final PreparedStatement firstKey;
  private final PreparedStatement purge;
  private final long pageSize;

  final FinishedTable finished;
  final ChangeWriter changes;
  final SqlitePageReader rows;
  final SqliteSchedules schedules;

  /// Takes ownership of a connection to a file that has the tables of a store.
  private Session(Connection connection) throws SQLException {
    this.connection = connection;
    statements = new Statements(connection);
    advance =
        statements.prepare(
            "UPDATE writer SET batch = ?, last_key = ? WHERE epoch = ? AND batch < ?");
    writer = statements.prepare("SELECT name, epoch, batch, last_key FROM writer");
    pages = statements.prepare("PRAGMA page_count");
    freePages = statements.prepare("PRAGMA freelist_count");
    firstKey = statements.prepare("SELECT min(key) FROM activation");
    purge =
        statements.prepare(
            """
            DELETE FROM tombstone WHERE (until, high, low) IN
            (SELECT until, high, low FROM tombstone WHERE until <= ? ORDER BY until LIMIT ?)
            """);
    pageSize = SqliteSchema.number(connection, "PRAGMA page_size");
    SqliteRowCodec codec = new SqliteRowCodec();
    finished = new FinishedTable(statements);
    schedules = new SqliteSchedules(statements);
    changes = new ChangeWriter(statements, codec, schedules);
    rows = new SqlitePageReader(statements, codec);
  }

  /// Opens the file, and creates the store if there is none.
  ///
  /// @param name name of a new store
  /// @throws StoreException of kind `FATAL` if the file cannot become a store
  static Session open(Path file, String name) throws SQLException {
    return open(file, Optional.of(name));
  }

  /// Reopens the file of an existing store.
  ///
  /// @throws StoreException of kind `FATAL` if it is no longer a store
  static Session reopen(Path file) throws SQLException {
    return open(file, Optional.empty());
  }

  private static Session open(Path file, Optional<String> name) throws SQLException {
    Connection connection = connect(file);
    try {
      SqliteSchema.Content content = SqliteSchema.examine(connection, file);
      boolean isOld =
          content == SqliteSchema.Content.STORE_1
              || content == SqliteSchema.Content.STORE_2
              || content == SqliteSchema.Content.STORE_3;
      boolean isStore = content == SqliteSchema.Content.STORE || isOld;
      if (!isStore && name.isEmpty()) {
        throw new StoreException(
            Kind.FATAL,
            "The file %s is no longer a store; it was replaced or emptied".formatted(file),
            null);
      }
      configure(connection, file);
      connection.setAutoCommit(false);
      if (isOld) {
        SqliteSchema.upgrade(connection, content);
      }
      if (isStore) {
        SqliteSchema.renewView(connection);
        SqliteSchema.addFinished(connection);
        SqliteSchedules.createTable(connection);
        connection.commit();
      } else {
        create(connection, file, content, name.orElseThrow());
      }
      return new Session(connection);
    } catch (SQLException | RuntimeException e) {
      try {
        connection.close();
      } catch (SQLException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private static void create(
      Connection connection, Path file, SqliteSchema.Content content, String name)
      throws SQLException {
    long rows = SqliteSchema.create(connection, file, content, name);
    SqliteSchedules.createTable(connection);
    connection.commit();
    if (content == SqliteSchema.Content.REFERENCE) {
      LOG.info("Migrated {} from the reference broker: {} tasks", file, rows);
    }
  }

  private static Connection connect(Path file) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setBusyTimeout(BUSY_MILLISECONDS);
    config.setGetGeneratedKeys(false);
    // As a URI: the driver parses everything after a question mark in a path as settings.
    return config.createConnection("jdbc:sqlite:" + file.toUri());
  }

  private static void configure(Connection connection, Path file) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      // Takes effect only before the first write to a new file, which the next line does.
      statement.execute("PRAGMA auto_vacuum = INCREMENTAL");
      try (ResultSet mode = statement.executeQuery("PRAGMA journal_mode = WAL")) {
        mode.next();
        if (!mode.getString(1).equals("wal")) {
          throw new StoreException(
              Kind.FATAL,
              "The store %s cannot use a write-ahead log (its journal mode stays '%s'); put it on a local file system"
                  .formatted(file, mode.getString(1)),
              null);
        }
      }
      for (String setting : SETTINGS) {
        statement.execute(setting);
      }
    }
  }

  /// Records the batch in the writer row, in the current transaction.
  ///
  /// @return whether to apply the batch: neither it nor a later one is recorded, and the epoch is
  ///   current
  boolean advance(long epoch, long batch, long lastKey) throws SQLException {
    advance.setLong(1, batch);
    advance.setLong(2, lastKey);
    advance.setLong(3, epoch);
    advance.setLong(4, batch);
    return advance.executeUpdate() == 1;
  }

  /// Makes the caller the writer and fences all earlier ones.
  ///
  /// Of two copies of a store, the one opened later has the larger epoch, unless a clock is wrong.
  /// So each copy lacks the positions that the other records in Kafka.
  ///
  /// @param least the new epoch is larger than this one
  Writer raiseEpoch(long least) throws SQLException {
    long byTime = System.currentTimeMillis() << EPOCHS_PER_MILLI_BITS;
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "UPDATE writer SET epoch = max(max(epoch, %d) + 1, %d), batch = -1"
              .formatted(least, byTime));
    }
    return writer();
  }

  /// Marks at-most-once tasks that may have been delivered as delivered (G3). Rows in memory become
  /// overdue, so that a worker can still report. Parked rows stay parked and become unconfirmed:
  /// once Kafka shows that their offset was committed, they meet their failure policy (H2).
  ///
  /// @param latest time of the latest lost delivery, milliseconds since the epoch
  /// @param now milliseconds since the epoch
  /// @return the number of rows marked
  int countAsHandedOut(long latest, long now) throws SQLException {
    String rows =
        """
        WHERE at_most_once = 1 AND committed = 1 AND forward_topic IS NULL
        AND status IN ('%s', '%s') AND coalesce(delay_until, 0) <= %d
        """
            .formatted(Status.PENDING.storedName(), Status.DELAY.storedName(), latest);
    try (Statement statement = connection.createStatement()) {
      return statement.executeUpdate(
              "UPDATE activation SET status = '%s', processing_deadline = %d %sAND parked_until IS NULL"
                  .formatted(Status.PROCESSING.storedName(), now, rows))
          + statement.executeUpdate(
              "UPDATE activation SET committed = 0 %sAND parked_until IS NOT NULL".formatted(rows));
    }
  }

  /// Whether there are deliverable at-most-once rows.
  boolean hasAtMostOnce() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                """
                SELECT EXISTS (
                  SELECT 1 FROM activation WHERE at_most_once = 1 AND committed = 1
                  AND forward_topic IS NULL AND status IN ('%s', '%s'))
                """
                    .formatted(Status.PENDING.storedName(), Status.DELAY.storedName()))) {
      result.next();
      return result.getBoolean(1);
    }
  }

  Writer writer() throws SQLException {
    try (ResultSet result = writer.executeQuery()) {
      result.next();
      return new Writer(
          result.getString(1), result.getLong(2), result.getLong(3), result.getLong(4));
    }
  }

  /// Raises the last key: new rows get keys above `key`.
  void raiseLastKey(long key) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("UPDATE writer SET last_key = max(last_key, " + key + ")");
    }
  }

  /// Smallest key of a row, [Long#MAX_VALUE] if there is none.
  long firstKey() throws SQLException {
    try (ResultSet result = firstKey.executeQuery()) {
      result.next();
      return SqliteRowCodec.time(result, 1, Long.MAX_VALUE);
    }
  }

  /// Used bytes of the file.
  long size() throws SQLException {
    return number(pages) * pageSize - freeBytes();
  }

  /// Free bytes of the file.
  long freeBytes() throws SQLException {
    return number(freePages) * pageSize;
  }

  /// Deletes up to `limit` expired tombstones, oldest first; returns how many.
  int purgeTombstones(long now, int limit) throws SQLException {
    purge.setLong(1, now);
    purge.setInt(2, limit);
    return purge.executeUpdate();
  }

  /// Returns up to `count` free pages to the file system, if more than a quarter of the file is
  /// free; inserts soon need the rest.
  void vacuum(int count) throws SQLException {
    if (number(freePages) <= number(pages) / 4) {
      return;
    }
    try (Statement statement = connection.createStatement()) {
      // As an update: a query would free one page for each result row read.
      statement.executeUpdate("PRAGMA incremental_vacuum(" + count + ")");
    }
  }

  /// Rewrites the file without free pages, which also enables incremental vacuum for a file of the
  /// reference. Between transactions only.
  void rewrite() throws SQLException {
    // Outside any transaction, and with the temporary copy on disk instead of in memory.
    connection.setAutoCommit(true);
    try (Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA temp_store = FILE");
      statement.execute("VACUUM");
      statement.execute("PRAGMA wal_checkpoint(TRUNCATE)");
      statement.execute("PRAGMA temp_store = MEMORY");
    } finally {
      connection.setAutoCommit(false);
    }
  }

  /// Checkpoints as much of the log as possible without waiting. Between transactions only.
  ///
  /// @return the number of pages that must stay in the log because a reader uses an older snapshot
  long checkpoint() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("PRAGMA wal_checkpoint(PASSIVE)")) {
      result.next();
      return result.getLong(2) - result.getLong(3);
    }
  }

  void commit() throws SQLException {
    connection.commit();
  }

  /// @throws SQLException the state of the transaction is unknown: close the session
  void rollback() throws SQLException {
    try {
      connection.rollback();
    } catch (SQLException e) {
      // Some errors make SQLite roll back by itself, and the driver has not begun the next
      // transaction. Inside a transaction BEGIN fails.
      try (Statement statement = connection.createStatement()) {
        statement.execute("BEGIN");
      } catch (SQLException beginning) {
        e.addSuppressed(beginning);
        throw e;
      }
    }
  }

  /// Session on the same connection with new statements: the driver closes a statement that fails.
  Session renewed() throws SQLException {
    statements.close();
    return new Session(connection);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }

  private static long number(PreparedStatement query) throws SQLException {
    try (ResultSet result = query.executeQuery()) {
      result.next();
      return result.getLong(1);
    }
  }

  /// Content of the writer row.
  record Writer(String name, long epoch, long batch, long lastKey) {}
}
