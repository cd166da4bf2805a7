package io.taskbroker.store.sqlite;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// File lock on `FILE.lock` that lets one broker at a time open the store FILE (H23). The operating
/// system releases it when the process ends. The lock file stays and records the store's name and
/// its [AtMostOnceFence], which detects a lost or truncated store. [#take] is thread-safe; the
/// other methods are for one thread at a time.
final class WriterLock implements AutoCloseable {
  /// Locks of this process, checked first: closing any channel of a file may release all locks that
  /// the process has on it.
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private static final int NAME_LENGTH = 36;
  private static final String NAME = "[0-9a-f-]{36}";

  /// Fixed length within one disk sector: each write overwrites the previous one and is never torn.
  private static final int LENGTH = 128;

  private final Path lockFile;

  /// Every write is durable when it returns. Not a channel: an interrupt would close it and release
  /// the lock.
  private final RandomAccessFile content;

  private WriterLock(Path lockFile, RandomAccessFile content) {
    this.lockFile = lockFile;
    this.content = content;
  }

  /// Takes the lock of the store `file`, a real path.
  ///
  /// @throws StoreException of kind `FATAL` if the lock is not available
  static WriterLock take(Path file) {
    Path lockFile = file.resolveSibling(file.getFileName() + ".lock");
    if (!HELD.add(lockFile)) {
      throw inUse(file, lockFile);
    }
    RandomAccessFile content = null;
    try {
      content = new RandomAccessFile(lockFile.toFile(), "rwd");
      if (content.getChannel().tryLock() == null) {
        throw inUse(file, lockFile);
      }
      return new WriterLock(lockFile, content);
    } catch (IOException e) {
      release(lockFile, content);
      throw new StoreException(
          Kind.FATAL,
          "Could not lock the store %s by %s: %s; check the folder and its permissions"
              .formatted(file, lockFile, e),
          e);
    } catch (OverlappingFileLockException e) {
      release(lockFile, content);
      throw inUse(file, lockFile);
    } catch (StoreException e) {
      release(lockFile, content);
      throw e;
    }
  }

  /// Name of the store that last had the lock; empty if none had.
  Optional<String> storeName() throws IOException {
    String text = text();
    return text.length() >= NAME_LENGTH && text.substring(0, NAME_LENGTH).matches(NAME)
        ? Optional.of(text.substring(0, NAME_LENGTH))
        : Optional.empty();
  }

  /// Fence of the store of this name; empty if unknown.
  Optional<AtMostOnceFence> fence(String storeName) throws IOException {
    return storeName().equals(Optional.of(storeName))
        ? AtMostOnceFence.of(text().substring(NAME_LENGTH))
        : Optional.empty();
  }

  /// Records the name of the store durably. Keeps the fence if the name is unchanged.
  void persist(String storeName) throws IOException {
    if (!storeName().equals(Optional.of(storeName))) {
      write(storeName);
    }
  }

  /// Records the fence of the store durably.
  void persist(String storeName, AtMostOnceFence fence) throws IOException {
    write(storeName + fence.text());
  }

  private String text() throws IOException {
    byte[] bytes = new byte[LENGTH];
    content.seek(0);
    int length = 0;
    for (int read = 0; read >= 0 && length < LENGTH; length += Math.max(0, read)) {
      read = content.read(bytes, length, LENGTH - length);
    }
    return new String(bytes, 0, length, US_ASCII);
  }

  private void write(String text) throws IOException {
    byte[] bytes = new byte[LENGTH];
    Arrays.fill(bytes, (byte) ' ');
    bytes[LENGTH - 1] = '\n';
    System.arraycopy(text.getBytes(US_ASCII), 0, bytes, 0, text.length());
    content.seek(0);
    content.write(bytes);
  }

  @Override
  public void close() {
    release(lockFile, content);
  }

  private static StoreException inUse(Path file, Path lockFile) {
    return new StoreException(
        Kind.FATAL,
        "Another broker uses the store %s (it holds %s); stop it, or configure another path for this one"
            .formatted(file, lockFile),
        null);
  }

  private static void release(Path lockFile, @Nullable RandomAccessFile content) {
    try {
      if (content != null) {
        content.close();
      }
    } catch (IOException _) {
      // Closing the descriptor releases the lock.
    } finally {
      HELD.remove(lockFile);
    }
  }
}
