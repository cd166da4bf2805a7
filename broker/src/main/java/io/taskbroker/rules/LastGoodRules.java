package io.taskbroker.rules;

import io.taskbroker.runtime.DurableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
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
    DurableFile.replace(copy, content);
  }
}
