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

/// The operating system's lock on `FILE.lock`, which lets one broker at a time open the store FILE
/// (H23). It ends with the process, however that ends; the file of the lock stays, and says what
/// the name of the store is, and what it handed out last that may run only once: should the store
/// be lost, or its end, that is known by it. To take it is thread-safe; the rest is for one thread
/// at a time.
final class WriterLock implements AutoCloseable {
  /// The locks of this process. Asked first: to close any channel of a file may release all locks
  /// that the process has on it.
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private static final int NAME_LENGTH = 36;
  private static final String NAME = "[0-9a-f-]{36}";

  /// So that what is noted is always written over, and never torn: within a sector of the disk.
  private static final int LENGTH = 128;

  private final Path lockFile;

  /// Each write is durable when it returns. Not a channel, which an interrupt would close, and the
  /// lock with it.
  private final RandomAccessFile content;

  private WriterLock(Path lockFile, RandomAccessFile content) {
    this.lockFile = lockFile;
    this.content = content;
  }

  /// Takes the lock of the store `file`, a real path.
  ///
  /// @throws StoreException of kind `FATAL` if it cannot be had
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
          "Could not lock the store %s by %s: %s; check the folder and who may write to it"
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

  /// The name of the store that the lock was last held for; empty if there was none.
  Optional<String> storeName() throws IOException {
    String text = text();
    return text.length() >= NAME_LENGTH && text.substring(0, NAME_LENGTH).matches(NAME)
        ? Optional.of(text.substring(0, NAME_LENGTH))
        : Optional.empty();
  }

  /// What the store of this name handed out last; empty if nothing is known of that.
  Optional<AtMostOnceFence> fence(String storeName) throws IOException {
    return storeName().equals(Optional.of(storeName))
        ? AtMostOnceFence.of(text().substring(NAME_LENGTH))
        : Optional.empty();
  }

  /// Notes the name of the store, durably. What is noted of the same store stays.
  void persist(String storeName) throws IOException {
    if (!storeName().equals(Optional.of(storeName))) {
      write(storeName);
    }
  }

  /// Notes what the store of this name handed out last, durably.
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
        "Another broker uses the store %s (it holds %s); stop it, or give this broker another path"
            .formatted(file, lockFile),
        null);
  }

  private static void release(Path lockFile, @Nullable RandomAccessFile content) {
    try {
      if (content != null) {
        content.close();
      }
    } catch (IOException _) {
      // The lock is gone with the descriptor.
    } finally {
      HELD.remove(lockFile);
    }
  }
}
