package io.taskbroker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Temporary folder of this process for the native libraries that SQLite, zstd, snappy and Netty
/// unpack and would leave behind when the process is halted. Removed when the process ends; a file
/// lock lets the next process detect and remove the folders of killed ones.
///
/// Created before any of these libraries is loaded. If libraries cannot be unpacked or executed
/// there, it reports the cause; the libraries themselves report a misleading one.
final class NativeLibraryFolder implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NativeLibraryFolder.class);
  private static final String PREFIX = "taskbroker-native-";

  /// Prefix of a folder that is not locked yet; no process removes it.
  private static final String UNFINISHED = "taskbroker-unlocked-";

  private static final String LOCK = "lock";

  /// Size of all libraries, with a margin.
  private static final int PROBE_BYTES = 4 << 20;

  /// System properties that set the unpack folder of each library.
  private static final List<String> PROPERTIES =
      List.of(
          "org.sqlite.tmpdir",
          "ZstdTempFolder",
          "org.xerial.snappy.tempdir",
          "io.netty.native.workdir");

  /// Library without such a property; its file is found by name.
  private static final String LZ4 = "liblz4-java-";

  private final Path parent;
  private final Path folder;
  private final FileChannel lock;

  private NativeLibraryFolder(Path parent, Path folder, FileChannel lock) {
    this.parent = parent;
    this.folder = folder;
    this.lock = lock;
  }

  /// Creates the folder and removes those of dead processes.
  ///
  /// @param parent the value of `java.io.tmpdir`
  /// @throws UncheckedIOException if libraries cannot be loaded from there
  static NativeLibraryFolder open(Path parent) {
    removeOrphans(parent);
    try {
      NativeLibraryFolder opened = create(parent);
      try {
        opened.probe();
        PROPERTIES.forEach(property -> {
          if (System.getProperty(property) == null) {
            System.setProperty(property, opened.folder.toString());
          }
        });
        return opened;
      } catch (IOException e) {
        opened.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot unpack native libraries into %s: %s. Fix that, or set another folder with the JVM option -Djava.io.tmpdir=FOLDER, for example in JAVA_OPTS"
              .formatted(parent, reason(e)),
          e);
    }
  }

  private static NativeLibraryFolder create(Path parent) throws IOException {
    Path unfinished = Files.createTempDirectory(parent, UNFINISHED);
    FileChannel lock = null;
    try {
      lock =
          FileChannel.open(
              unfinished.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      if (lock.tryLock() == null) {
        throw new IOException("a new file is locked by another process");
      }
      String id = unfinished.getFileName().toString().substring(UNFINISHED.length());
      Path folder = parent.resolve(PREFIX + id);
      Files.move(unfinished, folder, StandardCopyOption.ATOMIC_MOVE);
      return new NativeLibraryFolder(parent, folder, lock);
    } catch (IOException e) {
      if (lock != null) {
        lock.close();
      }
      remove(unfinished);
      throw e;
    }
  }

  /// Checks that libraries fit and may be executed.
  private void probe() throws IOException {
    Path file = folder.resolve("probe");
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      byte[] block = new byte[64 << 10];
      try (OutputStream out = Files.newOutputStream(file)) {
        for (int written = 0; written < PROBE_BYTES; written += block.length) {
          out.write(block);
        }
      }
      if (!Files.isExecutable(file)) {
        throw new IOException("files there cannot be executed: the file system is mounted noexec");
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static String reason(IOException e) {
    return switch (e) {
      case AccessDeniedException _ -> "permission denied";
      case NoSuchFileException _ -> "it does not exist";
      case FileSystemException failed when failed.getReason() != null -> failed.getReason();
      default -> String.valueOf(e.getMessage());
    };
  }

  private static void removeOrphans(Path parent) {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path left : folders) {
        removeIfOrphan(left);
      }
    } catch (IOException e) {
      log.debug("Cannot search {} for native libraries of dead processes", parent, e);
    }
  }

  private static void removeIfOrphan(Path left) {
    if (!Files.isDirectory(left, LinkOption.NOFOLLOW_LINKS) || !Files.isWritable(left)) {
      return; // owned by another user
    }
    try (FileChannel lock = FileChannel.open(left.resolve(LOCK), StandardOpenOption.WRITE)) {
      if (lock.tryLock() != null) {
        remove(left);
      }
    } catch (NoSuchFileException _) {
      remove(left); // another process is removing it, or was killed while it did
    } catch (IOException | OverlappingFileLockException e) {
      log.debug("Cannot remove the native libraries in {}", left, e);
    }
  }

  /// Removes the folder; loaded libraries stay loaded.
  @Override
  public void close() {
    remove(folder);
    removeLz4();
    try {
      lock.close();
    } catch (IOException e) {
      log.debug("Cannot close the lock file of {}", folder, e);
    }
  }

  private static void remove(Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      log.debug("Cannot remove the native libraries in {}", folder, e);
    }
  }

  private void removeLz4() {
    Path maps = Path.of("/proc/self/maps");
    if (!Files.isReadable(maps)) {
      return;
    }
    String start = parent.toAbsolutePath() + "/" + LZ4;
    try {
      for (String line : Files.readAllLines(maps)) {
        int at = line.indexOf(start);
        if (at >= 0 && line.endsWith(".so")) {
          Path library = Path.of(line.substring(at));
          Files.deleteIfExists(library);
          Files.deleteIfExists(Path.of(library + ".lck"));
        }
      }
    } catch (IOException e) {
      log.debug("Cannot remove the lz4 library", e);
    }
  }
}
