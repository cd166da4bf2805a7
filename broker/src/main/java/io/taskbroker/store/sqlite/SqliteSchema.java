package io.taskbroker.store.sqlite;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/// Tables of a store's file, their creation and upgrades.
///
/// Times are milliseconds since the epoch in the tables, and whole seconds in the view with the
/// name, columns and units of the reference's table (reference-spec 4.2).
final class SqliteSchema {
  /// Application id in the file header that identifies a store of this broker ("task").
  private static final int APPLICATION_ID = 0x7461736B;

  /// Layout version of the tables, in the file header. Layout 1 has no `forward_cluster`, layout 2
  /// no identity of a partition's last record, layout 3 no priority.
  private static final int VERSION = 4;

  /// Integer keys and no index on ids: a commit appends to the table instead of writing all over
  /// it, however large the backlog.
  static final String ACTIVATION =
      """
      CREATE TABLE activation (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        application TEXT NOT NULL,
        parked_until INTEGER,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        claim_expires_at INTEGER,
        processing_deadline INTEGER,
        deadline_extended INTEGER NOT NULL,
        committed INTEGER NOT NULL,
        at_most_once INTEGER NOT NULL,
        derived INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        failure_policy INTEGER NOT NULL,
        bucket INTEGER NOT NULL,
        deadline_seconds INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        expires_at INTEGER,
        delay_until INTEGER,
        added_at INTEGER NOT NULL,
        topic TEXT NOT NULL,
        partition_number INTEGER NOT NULL,
        record_offset INTEGER NOT NULL,
        namespace TEXT NOT NULL,
        taskname TEXT NOT NULL,
        forward_topic TEXT,
        forward_cluster TEXT,
        forward_headers TEXT,
        payload BLOB NOT NULL
      ) STRICT
      """;

  private static final String PARKED =
      """
      CREATE INDEX activation_parked ON activation (application, priority, parked_until, key)
      WHERE parked_until IS NOT NULL
      """;

  private static final String WATERMARK =
      """
      CREATE TABLE watermark (
        cluster TEXT NOT NULL,
        grp TEXT NOT NULL,
        topic_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition_number INTEGER NOT NULL,
        next INTEGER NOT NULL,
        committed INTEGER,
        last_offset INTEGER,
        last_epoch INTEGER,
        last_timestamp INTEGER,
        PRIMARY KEY (cluster, grp, topic_id, topic, partition_number)
      ) STRICT, WITHOUT ROWID
      """;

  /// Keyed by time, not by id: inserts go to the end, expired rows leave from the beginning.
  private static final String TOMBSTONE =
      """
      CREATE TABLE tombstone (
        until INTEGER NOT NULL,
        high INTEGER NOT NULL,
        low INTEGER NOT NULL,
        PRIMARY KEY (until, high, low)
      ) STRICT, WITHOUT ROWID
      """;

  /// Single row. `batch` is the last batch of the writer with `epoch` (H6, H23).
  private static final String WRITER =
      """
      CREATE TABLE writer (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        name TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        batch INTEGER NOT NULL,
        last_key INTEGER NOT NULL
      ) STRICT
      """;

  /// Columns of the reference's table, in its order. `expires_at` is rounded down, `delay_until`
  /// and deadlines up: readers of the seconds never act early, nor late on expiry (H21). A delay
  /// and a claim's lease end without a write, so the view compares them with the current time
  /// (docs/adr/0015).
  private static final String VIEW =
      """
      CREATE VIEW inflight_taskactivations AS SELECT
        id,
        payload AS activation,
        partition_number AS "partition",
        record_offset AS "offset",
        %1$s AS added_at,
        attempts AS processing_attempts,
        %2$s AS expires_at,
        deadline_seconds AS processing_deadline_duration,
        %3$s AS processing_deadline,
        CASE
          WHEN status = 'Delay' AND delay_until <= %4$s THEN 'Pending'
          WHEN %5$s THEN 'Pending'
          ELSE status
        END AS status,
        at_most_once,
        namespace,
        %6$s AS delay_until,
        failure_policy AS on_attempts_exceeded,
        %7$s AS received_at,
        taskname,
        application,
        bucket,
        CASE WHEN %5$s THEN NULL ELSE %8$s END AS claim_expires_at
      FROM activation\
      """
          .formatted(
              floor("added_at"),
              floor("expires_at"),
              ceiling("processing_deadline"),
              "1000 * unixepoch('now', 'subsec')",
              "status = 'Claimed' AND NOT at_most_once"
                  + " AND claim_expires_at <= 1000 * unixepoch('now', 'subsec')",
              ceiling("delay_until"),
              floor("received_at"),
              ceiling("claim_expires_at"));

  private static final String TABLES =
      """
      SELECT name FROM sqlite_schema
      WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'
      """;

  private SqliteSchema() {}

  /// Content of a file before it is opened as a store.
  enum Content {
    NOTHING,
    STORE,
    /// Stores of layout 1 to 3.
    STORE_1,
    STORE_2,
    STORE_3,
    REFERENCE
  }

  /// Examines the header and schema of the file, nothing else.
  ///
  /// @throws StoreException of kind `FATAL` if it belongs to another application or a later version
  static Content examine(Connection connection, Path file) throws SQLException {
    List<String> tables = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(TABLES)) {
      while (result.next()) {
        tables.add(result.getString(1));
      }
    }
    if (number(connection, "PRAGMA application_id") == APPLICATION_ID) {
      long version = number(connection, "PRAGMA user_version");
      if (version >= 1 && version < VERSION) {
        return version == 1 ? Content.STORE_1 : version == 2 ? Content.STORE_2 : Content.STORE_3;
      }
      if (version != VERSION) {
        throw new StoreException(
            Kind.FATAL,
            "The store %s has layout %d, but this broker supports only %d; run the version that created it"
                .formatted(file, version, VERSION),
            null);
      }
      return Content.STORE;
    }
    if (tables.contains(ReferenceMigration.NAME)) {
      return Content.REFERENCE;
    }
    if (!tables.isEmpty()) {
      throw new StoreException(
          Kind.FATAL,
          "%s belongs to another application (it has a table '%s'); configure another path for the store"
              .formatted(file, tables.getFirst()),
          null);
    }
    return Content.NOTHING;
  }

  /// Creates the tables and migrates rows of the reference, if any, in the caller's transaction:
  /// the file is unchanged until it commits.
  ///
  /// @param name of the store; without quotation marks
  /// @return the number of migrated rows
  static long create(Connection connection, Path file, Content content, String name)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(ACTIVATION);
      long rows = 0;
      if (content == Content.REFERENCE) {
        rows = ReferenceMigration.migrate(connection, file);
      }
      statement.executeUpdate(PARKED);
      statement.executeUpdate(WATERMARK);
      statement.executeUpdate(TOMBSTONE);
      statement.executeUpdate(WRITER);
      statement.executeUpdate(VIEW);
      statement.executeUpdate(FinishedTable.CREATE);
      statement.executeUpdate(FinishedTable.CREATE_INDEX);
      statement.executeUpdate(
          "INSERT INTO writer (one, name, epoch, batch, last_key) VALUES (1, '%s', 0, -1, %d)"
              .formatted(name, rows));
      statement.executeUpdate("PRAGMA application_id = " + APPLICATION_ID);
      statement.executeUpdate("PRAGMA user_version = " + VERSION);
      return rows;
    }
  }

  /// Upgrades the tables to the current layout, in the caller's transaction.
  ///
  /// @param from the present layout, `STORE_1` to `STORE_3`
  static void upgrade(Connection connection, Content from) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      if (from == Content.STORE_1) {
        statement.executeUpdate("ALTER TABLE activation ADD COLUMN forward_cluster TEXT");
      }
      if (from != Content.STORE_3) {
        for (String column : new String[] {"last_offset", "last_epoch", "last_timestamp"}) {
          statement.executeUpdate("ALTER TABLE watermark ADD COLUMN " + column + " INTEGER");
        }
      }
      statement.executeUpdate(
          "ALTER TABLE activation ADD COLUMN priority INTEGER NOT NULL DEFAULT 0");
      statement.executeUpdate("DROP INDEX activation_parked");
      statement.executeUpdate(PARKED);
      statement.executeUpdate("PRAGMA user_version = " + VERSION);
    }
  }

  /// Adds the records of finished tasks, in the caller's transaction, if the file has none. Earlier
  /// versions ignore that table, so it needs no layout version.
  static void addFinished(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(FinishedTable.CREATE);
      statement.executeUpdate(FinishedTable.CREATE_INDEX);
    }
  }

  /// Replaces the view by that of this version, in the caller's transaction. The view holds no data
  /// and needs no layout version.
  static void renewView(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      String present =
          "SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND sql = '%s'"
              .formatted(VIEW.replace("'", "''"));
      if (number(connection, present) == 0) {
        statement.executeUpdate("DROP VIEW IF EXISTS " + ReferenceMigration.NAME);
        statement.executeUpdate(VIEW);
      }
    }
  }

  /// Result of a query with one row and one numeric column.
  static long number(Connection connection, String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      result.next();
      return result.getLong(1);
    }
  }

  private static String floor(String milliseconds) {
    return "%1$s / 1000 - (%1$s %% 1000 < 0)".formatted(milliseconds);
  }

  private static String ceiling(String milliseconds) {
    return "%1$s / 1000 + (%1$s %% 1000 > 0)".formatted(milliseconds);
  }
}
