package io.taskbroker.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// File of what a worker's process did, one line for each step: written at once, so that it outlives
/// the process. Thread-safe.
final class RunJournal implements AutoCloseable {
  private final FileChannel file;

  RunJournal(Path path) {
    try {
      file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not open " + path, e);
    }
  }

  void write(String line) {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    try {
      synchronized (file) {
        file.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not write " + line, e);
    }
  }

  /// The lines of all journals in a folder.
  static List<String> read(Path folder) {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path each : files.toList()) {
        lines.addAll(Files.readAllLines(each));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read " + folder, e);
    }
    return lines;
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Could not close the journal", e);
    }
  }
}
