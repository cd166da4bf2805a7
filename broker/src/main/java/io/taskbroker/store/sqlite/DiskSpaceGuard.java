package io.taskbroker.store.sqlite;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.SQLException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Guard against a full disk: refuses inserts while deletes can still be written. A database has a
/// size limit, and on a disk without a free byte not even a delete commits, since the log can
/// neither grow nor be checkpointed (H12). Refuses inserts also while the file is not in its place:
/// a removed file, and every row in it, is gone when the process ends (G1).
final class DiskSpaceGuard {
  /// Reserve for a checkpoint of the whole log into new pages, and for deletes meanwhile.
  static final long FREE_BYTES = 96L << 20;

  private final Path file;
  private final long limit;
  private final LongSupplier diskBytes;

  /// Identity of the file; null if the system has none.
  private final @Nullable Object key;

  /// @param limit most used bytes of the database
  /// @param diskBytes free bytes of the disk
  DiskSpaceGuard(Path file, long limit, LongSupplier diskBytes) {
    this.file = file;
    this.limit = limit;
    this.diskBytes = diskBytes;
    this.key = key(file);
  }

  /// Guard of an existing file.
  ///
  /// @throws StoreException of kind `FATAL` if its disk cannot be determined
  static DiskSpaceGuard of(Path file, SqliteOptions options) {
    try {
      FileStore disk = Files.getFileStore(file);
      return new DiskSpaceGuard(file, options.insertLimit(), () -> bytesLeft(disk));
    } catch (IOException e) {
      throw new StoreException(
          Kind.FATAL, "Could not determine the disk of the store %s: %s".formatted(file, e), e);
    }
  }

  /// @throws StoreException of kind `FULL` if inserts must wait
  void check(Session session) throws SQLException {
    if (key != null && !key.equals(key(file))) {
      throw new StoreException(
          Kind.FULL,
          "The store %s was removed or replaced while this broker uses it; it accepts no inserts, which a restart would lose. Put the file back, or let its tasks end and restart"
              .formatted(file),
          null);
    }
    if (limit != Long.MAX_VALUE && session.size() > limit) {
      throw new StoreException(
          Kind.FULL,
          "The store %s uses more than %d bytes, an eighth above store.max_size; it accepts no inserts until it is smaller"
              .formatted(file, limit),
          null);
    }
    long free = diskBytes.getAsLong();
    if (free < FREE_BYTES && free + session.freeBytes() < FREE_BYTES) {
      throw new StoreException(
          Kind.FULL,
          "The disk of the store %s has %d free bytes, of which %d are reserved for deletes; free space on it"
              .formatted(file, free, FREE_BYTES),
          null);
    }
  }

  /// Whether the disk has `bytes` free bytes beyond the reserve for deletes.
  boolean has(long bytes) {
    return diskBytes.getAsLong() - FREE_BYTES >= bytes;
  }

  private static @Nullable Object key(Path file) {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    } catch (IOException _) {
      return null;
    }
  }

  /// Free bytes; unlimited if the system does not report them.
  private static long bytesLeft(FileStore disk) {
    try {
      long free = disk.getUsableSpace();
      return free == 0 && disk.getTotalSpace() == 0 ? Long.MAX_VALUE : free;
    } catch (IOException _) {
      return Long.MAX_VALUE;
    }
  }
}
