package io.taskbroker.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Where the files of the tests are: under `target`, so that they can be looked at afterwards.
final class Folders {
  static final Path ROOT = Path.of("target", "conformance").toAbsolutePath();

  private Folders() {}

  /// An empty folder; what a run before left in it is gone.
  static Path make(String name) {
    Path dir = ROOT.resolve(name);
    try {
      if (Files.exists(dir)) {
        for (Path each : depthFirst(dir)) {
          Files.delete(each);
        }
      }
      return Files.createDirectories(dir);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not empty " + dir, e);
    }
  }

  private static List<Path> depthFirst(Path dir) throws IOException {
    try (Stream<Path> all = Files.walk(dir)) {
      return all.sorted(Comparator.reverseOrder()).toList();
    }
  }
}
