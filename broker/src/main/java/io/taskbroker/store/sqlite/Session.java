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

/// The one connection that a store has to its file, with its prepared statements. It is always
/// inside a transaction, which begins with its first statement and ends with [#commit] or
/// [#rollback]. Confined to one thread.
final class Session implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  static final int CHECKPOINT_PAGES = 16_000;

  /// An epoch is the time of its beginning, shifted by so much: within what a lock file holds.
  private static final int EPOCHS_PER_MILLI_BITS = 8;

  /// Outside readers never hold a writer up, and outside writers are to be brief.
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

  final ChangeWriter changes;
  final SqlitePageReader rows;

  /// Takes over the connection, of a file that has the tables of a store.
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
    changes = new ChangeWriter(statements, codec);
    rows = new SqlitePageReader(statements, codec);
  }

  /// Opens the file, and makes it a store if it is none.
  ///
  /// @throws StoreException of kind `FATAL` if it cannot become one
  ///
  /// @param name that it gets if it is made
  static Session open(Path file, String name) throws SQLException {
    return open(file, Optional.of(name));
  }

  /// Opens a file that was a store before.
  ///
  /// @throws StoreException of kind `FATAL` if it is none any more
  static Session reopen(Path file) throws SQLException {
    return open(file, Optional.empty());
  }

  private static Session open(Path file, Optional<String> name) throws SQLException {
    Connection connection = connect(file);
    try {
      SqliteSchema.Content content = SqliteSchema.examine(connection, file);
      boolean isOld =
          content == SqliteSchema.Content.STORE_1 || content == SqliteSchema.Content.STORE_2;
      boolean isStore = content == SqliteSchema.Content.STORE || isOld;
      if (!isStore && name.isEmpty()) {
        throw new StoreException(
            Kind.FATAL, "The file %s is no longer the store that it was".formatted(file), null);
      }
      configure(connection, file);
      connection.setAutoCommit(false);
      if (isOld) {
        SqliteSchema.upgrade(connection, content);
      }
      if (isStore) {
        SqliteSchema.renewView(connection);
        connection.commit();
      } else {
        make(connection, file, content, name.orElseThrow());
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

  private static void make(
      Connection connection, Path file, SqliteSchema.Content content, String name)
      throws SQLException {
    long rows = SqliteSchema.create(connection, file, content, name);
    connection.commit();
    if (content == SqliteSchema.Content.REFERENCE) {
      LOG.info("Took over {}: {} activations", file, rows);
    }
  }

  private static Connection connect(Path file) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setBusyTimeout(BUSY_MILLISECONDS);
    config.setGetGeneratedKeys(false);
    // As a URI, since the driver takes what follows a question mark in a path for settings.
    return config.createConnection("jdbc:sqlite:" + file.toUri());
  }

  private static void configure(Connection connection, Path file) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      // Of effect only before a new file is written for the first time, as the next line does.
      statement.execute("PRAGMA auto_vacuum = INCREMENTAL");
      try (ResultSet mode = statement.executeQuery("PRAGMA journal_mode = WAL")) {
        mode.next();
        if (!mode.getString(1).equals("wal")) {
          throw new StoreException(
              Kind.FATAL,
              "The store %s cannot have a write-ahead log (its journal mode stays '%s'); put it on a local file system"
                  .formatted(file, mode.getString(1)),
              null);
        }
      }
      for (String setting : SETTINGS) {
        statement.execute(setting);
      }
    }
  }

  /// Notes in the writer row that the batch is applied by this transaction.
  ///
  /// @return whether it is to be applied: neither it nor a later one is noted already, and the
  ///   epoch stands
  boolean advance(long epoch, long batch, long lastKey) throws SQLException {
    advance.setLong(1, batch);
    advance.setLong(2, lastKey);
    advance.setLong(3, epoch);
    advance.setLong(4, batch);
    return advance.executeUpdate() == 1;
  }

  /// Makes the caller the writer, and all before it former ones.
  ///
  /// @param least an epoch that is to be a former one, too Of two copies of a store, whichever is
  ///   opened later has the larger epoch, unless a clock is wrong: so that what either notes in
  ///   Kafka is lacking in the other.
  Writer raiseEpoch(long least) throws SQLException {
    long byTime = System.currentTimeMillis() << EPOCHS_PER_MILLI_BITS;
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "UPDATE writer SET epoch = max(max(epoch, %d) + 1, %d), batch = -1"
              .formatted(least, byTime));
    }
    return writer();
  }

  /// What may run only once and may have been handed out counts as handed out (G3): what a worker
  /// may have is overdue, so that its report can still come in. Parked rows stay so, and unproven:
  /// once Kafka shows that their offset was committed, they meet their failure policy (H2).
  ///
  /// @param latest when the last of it was handed out, milliseconds since the epoch
  /// @param now milliseconds since the epoch
  /// @return how many rows that were
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

  /// Whether there are rows that may be handed out and may run only once.
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

  /// Has the store give out keys above this one only.
  void raiseLastKey(long key) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("UPDATE writer SET last_key = max(last_key, " + key + ")");
    }
  }

  /// The smallest key of a row, [Long#MAX_VALUE] if there is none.
  long firstKey() throws SQLException {
    try (ResultSet result = firstKey.executeQuery()) {
      result.next();
      return SqliteRowCodec.time(result, 1, Long.MAX_VALUE);
    }
  }

  /// Bytes in use.
  long size() throws SQLException {
    return number(pages) * pageSize - freeBytes();
  }

  /// Bytes of the file that are not in use.
  long freeBytes() throws SQLException {
    return number(freePages) * pageSize;
  }

  /// Removes tombstones that have ended, the oldest first, up to `limit` of them.
  void purgeTombstones(long now, int limit) throws SQLException {
    purge.setLong(1, now);
    purge.setInt(2, limit);
    purge.executeUpdate();
  }

  /// Gives up to `count` free pages back to the file system, if that many are free that inserts
  /// will not soon need them.
  void vacuum(int count) throws SQLException {
    if (number(freePages) <= number(pages) / 4) {
      return;
    }
    try (Statement statement = connection.createStatement()) {
      // As an update, since a query would give back one page for each of its rows that is read.
      statement.executeUpdate("PRAGMA incremental_vacuum(" + count + ")");
    }
  }

  /// Writes the whole file anew without what is free of it, which also makes the file of a
  /// reference one whose pages can be given back later. Between transactions only.
  void rewrite() throws SQLException {
    // Outside of any transaction, and with its temporary copy not in memory.
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

  /// Moves what it can from the log to the database without waiting for anybody. Between
  /// transactions only.
  ///
  /// @return the number of pages that have to stay in the log, since somebody reads an older state
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

  /// @throws SQLException it is not known whether the transaction is over: close the session
  void rollback() throws SQLException {
    try {
      connection.rollback();
    } catch (SQLException e) {
      // SQLite has rolled back by itself, as some errors make it do, and the driver has not begun
      // the next transaction. Within a transaction this fails.
      try (Statement statement = connection.createStatement()) {
        statement.execute("BEGIN");
      } catch (SQLException beginning) {
        e.addSuppressed(beginning);
        throw e;
      }
    }
  }

  /// The same connection with statements that work: the driver has ended the one that failed.
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

  /// The writer row.
  record Writer(String name, long epoch, long batch, long lastKey) {}
}
