package io.taskbroker.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/// Options for results.
final class OutputOptions {
  @Option(
      names = "--results",
      defaultValue = "benchmarks/target/results",
      description = "Folder of the results.")
  Path results;

  @Option(names = "--keep", description = "Keep logs and data of the run.")
  boolean keep;

  /// Deletes the data of a run.
  static void delete(Path dir) {
    try (Stream<Path> files = Files.walk(dir)) {
      files
          .sorted(Comparator.reverseOrder())
          .forEach(file -> {
            try {
              Files.deleteIfExists(file);
            } catch (IOException e) {
              throw new UncheckedIOException("Could not delete " + file, e);
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException("Could not delete " + dir, e);
    }
  }
}
