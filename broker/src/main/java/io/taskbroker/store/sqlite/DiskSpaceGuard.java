package io.taskbroker.store.sqlite;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.function.LongSupplier;

/// Refuses inserts while what else there is could still be written: the database has a bound, and
/// on a disk that is full to the last byte not even a delete can be committed, since the log can
/// neither grow nor be moved to the database (H12).
final class DiskSpaceGuard {
  /// For the whole log to move to new pages of the database, and for deletes meanwhile.
  static final long FREE_BYTES = 96L << 20;

  private final Path file;
  private final long limit;
  private final LongSupplier diskBytes;

  /// @param limit how many bytes of the database may be in use
  /// @param diskBytes how many bytes the disk has left
  DiskSpaceGuard(Path file, long limit, LongSupplier diskBytes) {
    this.file = file;
    this.limit = limit;
    this.diskBytes = diskBytes;
  }

  /// The room for a file that exists.
  ///
  /// @throws StoreException of kind `FATAL` if nothing is known of its disk
  static DiskSpaceGuard of(Path file, SqliteOptions options) {
    try {
      FileStore disk = Files.getFileStore(file);
      return new DiskSpaceGuard(file, options.insertLimit(), () -> bytesLeft(disk));
    } catch (IOException e) {
      throw new StoreException(
          Kind.FATAL, "Could not find the disk of the store %s: %s".formatted(file, e), e);
    }
  }

  /// @throws StoreException of kind `FULL` if there is to be no insert
  void check(Session session) throws SQLException {
    if (limit != Long.MAX_VALUE && session.size() > limit) {
      throw new StoreException(
          Kind.FULL,
          "The store %s uses more than %d bytes, an eighth above store.max_size; it takes nothing in until it is smaller"
              .formatted(file, limit),
          null);
    }
    long free = diskBytes.getAsLong();
    if (free < FREE_BYTES && free + session.freeBytes() < FREE_BYTES) {
      throw new StoreException(
          Kind.FULL,
          "The disk of the store %s has %d bytes left, and %d are kept for deletes; make room on it"
              .formatted(file, free, FREE_BYTES),
          null);
    }
  }

  /// Whether the disk has as many bytes, and what is kept for deletes.
  boolean has(long bytes) {
    return diskBytes.getAsLong() - FREE_BYTES >= bytes;
  }

  /// As many as there can be where the system does not say.
  private static long bytesLeft(FileStore disk) {
    try {
      long free = disk.getUsableSpace();
      return free == 0 && disk.getTotalSpace() == 0 ? Long.MAX_VALUE : free;
    } catch (IOException _) {
      return Long.MAX_VALUE;
    }
  }
}
