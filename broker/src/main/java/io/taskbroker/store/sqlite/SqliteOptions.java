package io.taskbroker.store.sqlite;

import java.nio.file.Path;

/// Where a SQLite store is, and how large it may grow.
///
/// @param path the file; made if it does not exist, but its folder is not
/// @param maxBytes `store.max_size`; 0 if there is no bound. Whoever fills the store is to stop
///   there, by [SqliteStore#size]; an eighth above it the store refuses to insert
public record SqliteOptions(Path path, long maxBytes) {
  public SqliteOptions {
    if (maxBytes < 0) {
      throw new IllegalArgumentException("maxBytes must not be negative: " + maxBytes);
    }
  }

  /// The number of used bytes beyond which inserts are refused.
  long insertLimit() {
    long eighth = maxBytes / 8;
    return maxBytes == 0 || maxBytes > Long.MAX_VALUE - eighth ? Long.MAX_VALUE : maxBytes + eighth;
  }
}
