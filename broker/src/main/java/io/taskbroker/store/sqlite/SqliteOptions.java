package io.taskbroker.store.sqlite;

import java.nio.file.Path;

/// Where a SQLite store is, how large it may grow, and how it shrinks.
///
/// @param path the file; made if it does not exist, but its folder is not
/// @param maxBytes `store.max_size`; 0 if there is no bound. Whoever fills the store is to stop
///   there, by [SqliteStore#size]; an eighth above it the store refuses to insert
/// @param vacuumAtStart whether a file that is mostly free is rewritten when it is opened
/// @param vacuumPages how many pages one [SqliteStore#maintain] gives back to the file system at
///   most
public record SqliteOptions(Path path, long maxBytes, boolean vacuumAtStart, int vacuumPages) {
  /// What takes some tens of milliseconds, in which nothing else is written.
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

  /// A file that is not rewritten when it is opened, and shrinks as fast as it may.
  public SqliteOptions(Path path, long maxBytes) {
    this(path, maxBytes, false, MAX_VACUUM_PAGES);
  }

  /// The number of used bytes beyond which inserts are refused.
  long insertLimit() {
    long eighth = maxBytes / 8;
    return maxBytes == 0 || maxBytes > Long.MAX_VALUE - eighth ? Long.MAX_VALUE : maxBytes + eighth;
  }
}
