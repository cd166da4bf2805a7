package io.taskbroker.lab.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Resource usage of the broker's process at one time.
///
/// @param at nanoseconds since the start of the load
/// @param residentBytes resident memory, heap and everything else
/// @param files open descriptors: files, sockets, pipes
/// @param databaseBytes size of the database and its log
record Sample(long at, long pid, long residentBytes, int threads, int files, long databaseBytes) {
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
  private static final Pattern THREADS = Pattern.compile("Threads:\\s+(\\d+)");

  /// Samples a process; empty if it is gone or the system has no `/proc`.
  static Optional<Sample> of(long pid, long at, Path database) {
    Path process = Path.of("/proc", Long.toString(pid));
    try {
      String status = Files.readString(process.resolve("status"));
      Optional<Long> resident = number(RESIDENT, status);
      Optional<Long> threads = number(THREADS, status);
      if (resident.isEmpty() || threads.isEmpty()) {
        return Optional.empty();
      }
      int files;
      try (var open = Files.list(process.resolve("fd"))) {
        files = (int) open.count();
      }
      return Optional.of(
          new Sample(
              at,
              pid,
              resident.get() << 10,
              threads.get().intValue(),
              files,
              size(database) + size(Path.of(database + "-wal"))));
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  private static Optional<Long> number(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? Optional.of(Long.parseLong(matcher.group(1))) : Optional.empty();
  }

  /// Size of a file in bytes; 0 if there is none.
  static long size(Path file) throws IOException {
    try {
      return Files.size(file);
    } catch (NoSuchFileException _) {
      return 0;
    }
  }
}
