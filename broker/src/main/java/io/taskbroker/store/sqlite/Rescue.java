package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
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

/// Puts a new store in the place of a damaged one, with the same name and what can be read of it.
/// The damaged files are moved aside as they are, and never written to.
///
/// The new store has no watermarks: Kafka's committed offsets, which bear its name, then say from
/// where on to read again (docs/adr/0006). A crash on the way leaves no store of the name, which is
/// a lost one to the next start.
final class Rescue {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
  private static final List<String> PARTS = List.of("", "-wal", "-shm");

  private final Path file;
  private final String name;
  private final long now;

  /// @param file where the store is to be
  /// @param name the name that it had
  /// @param now milliseconds since the epoch
  Rescue(Path file, String name, long now) {
    this.file = file;
    this.name = name;
    this.now = now;
  }

  /// What is wrong with the store, by a look at every page that changes nothing: about a second for
  /// a gigabyte that is in memory. Empty if nothing is.
  ///
  /// @throws StoreException of kind `FATAL` if that cannot be found out
  Optional<String> damage() throws SQLException {
    try {
      if (!Files.exists(file)) {
        return Optional.of("it is gone");
      }
      if (Files.size(file) == 0) {
        return Optional.of("it is empty");
      }
      Optional<String> ofLog = WalVerifier.damageOf(file);
      return ofLog.isPresent() ? ofLog : damageOfPages();
    } catch (IOException e) {
      throw new StoreException(Kind.FATAL, "Could not read the store %s: %s".formatted(file, e), e);
    }
  }

  private Optional<String> damageOfPages() throws SQLException {
    try (Connection connection = readOnly(file);
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("PRAGMA quick_check(1)")) {
      String found = result.next() ? result.getString(1) : "no answer";
      return found.equals("ok") ? Optional.empty() : Optional.of(singleLine(found));
    } catch (SQLException e) {
      if (SqliteErrors.isDamage(e)) {
        return Optional.of(singleLine(String.valueOf(e.getMessage())));
      }
      throw e;
    }
  }

  private static String singleLine(String text) {
    return text.replaceAll("\\s+", " ");
  }

  /// Moves what there is aside, and makes the new store.
  ///
  /// @throws StoreException of kind `FATAL` if that cannot be done; nothing is lost by that
  ReplacedStore replace(String why) {
    try {
      Path aside = moveAside();
      Path made = file.resolveSibling(file.getFileName() + ".rescued");
      for (String part : PARTS) {
        Files.deleteIfExists(Path.of(made + part));
      }
      long rows = copy(aside, made);
      Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
      return new ReplacedStore(file, aside, why, rows);
    } catch (IOException | UncheckedIOException | SQLException e) {
      throw new StoreException(
          Kind.FATAL,
          "The store %s is damaged (%s), and could not be replaced by another: %s; check its folder, what is set aside in it is kept"
              .formatted(file, why, e),
          e);
    }
  }

  private Path moveAside() throws IOException {
    String stamp = file.getFileName() + ".corrupt-" + TIME.format(Instant.ofEpochMilli(now));
    Path aside = file.resolveSibling(stamp);
    for (int i = 2; exists(aside); i++) {
      aside = file.resolveSibling(stamp + "-" + i);
    }
    for (String part : PARTS) {
      Path source = Path.of(file + part);
      if (Files.exists(source)) {
        Files.move(source, Path.of(aside + part), StandardCopyOption.ATOMIC_MOVE);
      }
    }
    return aside;
  }

  private static boolean exists(Path database) {
    return PARTS.stream().anyMatch(part -> Files.exists(Path.of(database + part)));
  }

  /// Copies what can be read. Returns the number of rows.
  private long copy(Path aside, Path made) throws SQLException {
    try (Session to = Session.open(made, name)) {
      var rows = new RowCopier(to);
      if (Files.exists(aside)) {
        try (Connection from = readOnly(aside);
            Statement lenience = from.createStatement()) {
          // Else a file that was cut off, or one bad entry of the schema, would hide all there is.
          lenience.execute("PRAGMA writable_schema = 1");
          var salvage = new Salvage(from, rows::add, now);
          salvage.rows();
          for (Tombstone tombstone : salvage.tombstones()) {
            to.changes.insertTombstone(tombstone);
          }
        } catch (SQLException _) {
          // Nothing can be read.
        }
      }
      rows.check();
      to.raiseLastKey(rows.lastKey);
      to.commit();
      return rows.count;
    }
  }

  /// Reads the log, too, and leaves it as it is.
  private static Connection readOnly(Path database) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + database.toUri() + "?mode=ro");
  }

  /// The rows that were copied.
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

    /// @throws SQLException if the new store could not take what was read
    void check() throws SQLException {
      if (failure != null) {
        throw failure;
      }
    }
  }
}
