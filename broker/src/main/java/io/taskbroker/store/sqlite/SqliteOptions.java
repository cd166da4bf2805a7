package io.taskbroker.store.sqlite;

import io.taskbroker.store.StoreLimits;
import java.nio.file.Path;

/// Path, size limit and vacuum options of a SQLite store.
///
/// @param path the file; created if missing, but not its folder
/// @param maxBytes `store.max_size`; 0 for no limit. Back-pressure stops at it by
///   [SqliteStore#size]; an eighth above it the store refuses inserts
/// @param vacuumAtStart whether to rewrite a mostly free file when it is opened
/// @param vacuumPages most pages that one [SqliteStore#maintain] returns to the file system
/// @param maxFinishedBytes most bytes of the records of finished tasks; they are part of the size
public record SqliteOptions(
    Path path, long maxBytes, boolean vacuumAtStart, int vacuumPages, long maxFinishedBytes) {
  /// Takes some tens of milliseconds, during which nothing else is written.
  public static final int MAX_VACUUM_PAGES = 4_000;

  public SqliteOptions {
    if (vacuumPages < 1 || vacuumPages > MAX_VACUUM_PAGES) {
      throw new IllegalArgumentException(
          "vacuumPages must be 1 to %d: %d".formatted(MAX_VACUUM_PAGES, vacuumPages));
    }
    if (maxBytes < 0) {
      throw new IllegalArgumentException("maxBytes must not be negative: " + maxBytes);
    }
  }

  /// Options with the usual limit on the records of finished tasks.
  public SqliteOptions(Path path, long maxBytes, boolean vacuumAtStart, int vacuumPages) {
    this(path, maxBytes, vacuumAtStart, vacuumPages, StoreLimits.FINISHED_BYTES);
  }

  /// Options without a rewrite at start, with the fastest vacuum.
  public SqliteOptions(Path path, long maxBytes) {
    this(path, maxBytes, false, MAX_VACUUM_PAGES);
  }

  /// Used bytes beyond which inserts are refused.
  long insertLimit() {
    return StoreLimits.insertLimit(maxBytes);
  }
}
