package io.taskbroker.rules;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/// Copy of the last valid rules file, which survives the process (H22). Writes are atomic: the file
/// is always either the previous or the new copy as a whole.
final class LastGoodRules {
  private final Path copy;

  LastGoodRules(Path copy) {
    this.copy = copy.toAbsolutePath();
  }

  Path path() {
    return copy;
  }

  /// Content of the copy; empty if there is none.
  Optional<byte[]> read() throws IOException {
    try {
      return Optional.of(Files.readAllBytes(copy));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  /// Replaces the copy, durably.
  void write(byte[] content) throws IOException {
    Path fresh = copy.resolveSibling(copy.getFileName() + ".new");
    try (FileChannel out = FileChannel.open(fresh, CREATE, WRITE, TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
    Files.move(fresh, copy, StandardCopyOption.ATOMIC_MOVE);
    Path folder = copy.getParent();
    if (folder != null) {
      try (FileChannel entries = FileChannel.open(folder, READ)) {
        entries.force(true);
      }
    }
  }
}
