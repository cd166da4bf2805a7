package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.runtime.FailureText;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Replacement of a damaged store by a new one with the same name and all rows that can be read.
/// Renames the damaged files and never writes to them.
///
/// The new store has no watermarks: Kafka's committed offsets, whose metadata carries the store's
/// name, then decide where to resume reading (docs/adr/0006). A crash during the replacement leaves
/// no store, which the next start handles as a lost one.
final class Rescue {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
  private static final List<String> PARTS = List.of("", "-wal", "-shm");

  private final Path file;
  private final String name;
  private final long now;

  /// @param file path of the store
  /// @param name its name
  /// @param now milliseconds since the epoch
  Rescue(Path file, String name, long now) {
    this.file = file;
    this.name = name;
    this.now = now;
  }

  /// Description of the damage, found by a read-only check of every page: about a second for a
  /// cached gigabyte. Empty if there is none.
  ///
  /// @throws StoreException of kind `FATAL` if the check fails
  Optional<String> damage() throws SQLException {
    try {
      if (!Files.exists(file)) {
        return Optional.of("it is gone");
      }
      if (Files.size(file) == 0) {
        return Optional.of("it is empty");
      }
      Optional<String> logDamage = WalVerifier.damageOf(file);
      return logDamage.isPresent() ? logDamage : damageOfPages();
    } catch (IOException e) {
      throw new StoreException(Kind.FATAL, "Could not read the store %s: %s".formatted(file, e), e);
    }
  }

  private Optional<String> damageOfPages() throws SQLException {
    try (Connection connection = readOnly(file);
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("PRAGMA quick_check(1)")) {
      String found = result.next() ? result.getString(1) : "no answer";
      return found.equals("ok") ? Optional.empty() : Optional.of(FailureText.inOneLine(found));
    } catch (SQLException e) {
      if (SqliteErrors.isDamage(e)) {
        return Optional.of(FailureText.inOneLine(e));
      }
      throw e;
    }
  }

  /// Renames the damaged files and creates the new store.
  ///
  /// @throws StoreException of kind `FATAL` on failure, which loses nothing
  ReplacedStore replace(String why) {
    try {
      Path damaged = renameDamaged();
      Path rescued = file.resolveSibling(file.getFileName() + ".rescued");
      for (String part : PARTS) {
        Files.deleteIfExists(Path.of(rescued + part));
      }
      long rows = copy(damaged, rescued);
      Files.move(rescued, file, StandardCopyOption.ATOMIC_MOVE);
      return new ReplacedStore(file, damaged, why, rows);
    } catch (IOException | UncheckedIOException | SQLException e) {
      throw new StoreException(
          Kind.FATAL,
          "The store %s is damaged (%s), and could not be replaced: %s; check its folder, the damaged files are kept"
              .formatted(file, why, e),
          e);
    }
  }

  private Path renameDamaged() throws IOException {
    String stamp = file.getFileName() + ".corrupt-" + TIME.format(Instant.ofEpochMilli(now));
    Path damaged = file.resolveSibling(stamp);
    for (int i = 2; exists(damaged); i++) {
      damaged = file.resolveSibling(stamp + "-" + i);
    }
    for (String part : PARTS) {
      Path source = Path.of(file + part);
      if (Files.exists(source)) {
        Files.move(source, Path.of(damaged + part), StandardCopyOption.ATOMIC_MOVE);
      }
    }
    return damaged;
  }

  private static boolean exists(Path database) {
    return PARTS.stream().anyMatch(part -> Files.exists(Path.of(database + part)));
  }

  /// Copies the readable rows, tombstones and schedules. Returns the number of rows.
  private long copy(Path damaged, Path rescued) throws SQLException {
    try (Session to = Session.open(rescued, name)) {
      var rows = new RowCopier(to);
      if (Files.exists(damaged)) {
        try (Connection from = readOnly(damaged);
            Statement pragma = from.createStatement()) {
          // Otherwise a truncated file or a single bad schema entry would hide everything.
          pragma.execute("PRAGMA writable_schema = 1");
          var salvage = new Salvage(from, rows::add, now);
          salvage.rows();
          for (Tombstone tombstone : salvage.tombstones()) {
            to.changes.insertTombstone(tombstone);
          }
          to.schedules.copyFrom(from);
        } catch (SQLException _) {
          // Nothing is readable.
        }
      }
      rows.check();
      to.raiseLastKey(rows.lastKey);
      to.commit();
      return rows.count;
    }
  }

  /// Reads the log too, without changing it.
  private static Connection readOnly(Path database) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + database.toUri() + "?mode=ro");
  }

  /// Target of the copied rows.
  private static final class RowCopier {
    private final Session to;
    private long count;
    private long lastKey;
    private @Nullable SQLException failure;

    RowCopier(Session to) {
      this.to = to;
    }

    void add(Row row) {
      if (failure != null) {
        return;
      }
      try {
        to.changes.apply(new Change.Insert(row, null));
        count++;
        lastKey = Math.max(lastKey, row.key());
      } catch (SQLException e) {
        failure = e;
      }
    }

    /// @throws SQLException if the new store failed to store a row
    void check() throws SQLException {
      if (failure != null) {
        throw failure;
      }
    }
  }
}
