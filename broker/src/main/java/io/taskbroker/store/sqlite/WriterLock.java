package io.taskbroker.store.sqlite;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The operating system's lock on `FILE.lock`, which lets one broker at a time open the store FILE
/// (H23). It ends with the process, however that ends; the file of the lock stays, and says what
/// the name of the store is: should the store be lost, that is known by it. Thread-safe.
final class WriterLock implements AutoCloseable {
  /// The locks of this process. Asked first: to close any channel of a file may release all locks
  /// that the process has on it.
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private static final int NAME_LENGTH = 36;
  private static final String NAME = "[0-9a-f-]{36}";

  private final Path lockFile;
  private final FileChannel channel;

  private WriterLock(Path lockFile, FileChannel channel) {
    this.lockFile = lockFile;
    this.channel = channel;
  }

  /// Takes the lock of the store `file`, a real path.
  ///
  /// @throws StoreException of kind `FATAL` if it cannot be had
  static WriterLock take(Path file) {
    Path lockFile = file.resolveSibling(file.getFileName() + ".lock");
    if (!HELD.add(lockFile)) {
      throw inUse(file, lockFile);
    }
    FileChannel channel = null;
    try {
      channel = FileChannel.open(lockFile, CREATE, READ, WRITE);
      if (channel.tryLock() == null) {
        throw inUse(file, lockFile);
      }
      return new WriterLock(lockFile, channel);
    } catch (IOException e) {
      giveUp(lockFile, channel);
      throw new StoreException(
          Kind.FATAL,
          "Could not lock the store %s by %s: %s; check the folder and who may write to it"
              .formatted(file, lockFile, e),
          e);
    } catch (OverlappingFileLockException e) {
      giveUp(lockFile, channel);
      throw inUse(file, lockFile);
    } catch (StoreException e) {
      giveUp(lockFile, channel);
      throw e;
    }
  }

  /// The name of the store that the lock was last held for; empty if there was none.
  Optional<String> storeName() throws IOException {
    var bytes = ByteBuffer.allocate(NAME_LENGTH);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, bytes.position()) < 0) {
        return Optional.empty();
      }
    }
    String name = new String(bytes.array(), US_ASCII);
    return name.matches(NAME) ? Optional.of(name) : Optional.empty();
  }

  /// Notes the name of the store, durably.
  void note(String storeName) throws IOException {
    if (!storeName().equals(Optional.of(storeName))) {
      channel.write(ByteBuffer.wrap(storeName.getBytes(US_ASCII)), 0);
      channel.force(true);
    }
  }

  @Override
  public void close() {
    giveUp(lockFile, channel);
  }

  private static StoreException inUse(Path file, Path lockFile) {
    return new StoreException(
        Kind.FATAL,
        "Another broker uses the store %s (it holds %s); stop it, or give this broker another path"
            .formatted(file, lockFile),
        null);
  }

  private static void giveUp(Path lockFile, @Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException _) {
      // The lock is gone with the descriptor.
    } finally {
      HELD.remove(lockFile);
    }
  }
}
