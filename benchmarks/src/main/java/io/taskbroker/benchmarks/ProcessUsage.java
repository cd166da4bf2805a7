package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Resource usage of a process and its threads, from `/proc`; threads that have ended are included
/// as far as an earlier [#look] saw them. Not thread-safe.
final class ProcessUsage {
  private static final long TICK_NANOS = 10_000_000;

  private final Path proc;
  private final Map<String, ThreadUse> threads = new HashMap<>();
  private long peakResident;

  ProcessUsage(long pid) {
    proc = Path.of("/proc", Long.toString(pid));
  }

  private record ThreadUse(String thread, long nanos, long sleeps) {}

  /// Usage up to one time.
  ///
  /// @param cpuNanos of the whole process
  /// @param threads CPU nanoseconds by kind of thread
  /// @param writtenBytes bytes written to disk
  /// @param writeCalls write system calls, to files and sockets
  /// @param sleeps voluntary context switches: each is a switch away and one back
  /// @param residentBytes current resident memory
  record Usage(
      long cpuNanos,
      Map<String, Long> threads,
      long writtenBytes,
      long writeCalls,
      long sleeps,
      long residentBytes) {

    long jitNanos() {
      return threads.getOrDefault("JIT", 0L);
    }

    /// Difference to an earlier usage.
    Usage since(Usage before) {
      var used = new TreeMap<String, Long>();
      threads.forEach((name, now) -> used.put(name, now - before.threads.getOrDefault(name, 0L)));
      return new Usage(
          cpuNanos - before.cpuNanos,
          used,
          writtenBytes - before.writtenBytes,
          writeCalls - before.writeCalls,
          sleeps - before.sleeps,
          residentBytes);
    }
  }

  /// @throws UncheckedIOException if the process is gone
  Usage look() {
    try {
      lookAtThreads();
      Map<String, Long> io = numbers(proc.resolve("io"));
      long resident = 1024 * numbers(proc.resolve("status")).getOrDefault("VmRSS", 0L);
      peakResident = Math.max(peakResident, resident);
      var kinds = new TreeMap<String, Long>();
      threads.values().forEach(each -> kinds.merge(kind(each.thread), each.nanos, Long::sum));
      return new Usage(
          cpu(),
          kinds,
          io.getOrDefault("write_bytes", 0L),
          io.getOrDefault("syscw", 0L),
          threads.values().stream().mapToLong(ThreadUse::sleeps).sum(),
          resident);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read " + proc + ": is the process gone?", e);
    }
  }

  /// Maximum resident memory of all looks.
  long peakResident() {
    return peakResident;
  }

  private void lookAtThreads() throws IOException {
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(proc.resolve("task"))) {
      for (Path task : tasks) {
        String tid = task.getFileName().toString();
        try {
          String name = Files.readString(task.resolve("comm"), UTF_8).strip();
          String times = Files.readString(task.resolve("schedstat"), UTF_8);
          long nanos = Long.parseLong(times.substring(0, times.indexOf(' ')));
          long sleeps = numbers(task.resolve("status")).getOrDefault("voluntary_ctxt_switches", 0L);
          threads.put(tid, new ThreadUse(name, nanos, sleeps));
        } catch (NoSuchFileException _) {
          // The thread has ended.
        }
      }
    }
  }

  private long cpu() throws IOException {
    String stat = Files.readString(proc.resolve("stat"), UTF_8);
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", 0);
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_NANOS;
  }

  private static Map<String, Long> numbers(Path file) throws IOException {
    var numbers = new HashMap<String, Long>();
    for (String line : Files.readAllLines(file, UTF_8)) {
      String[] parts = line.split("[:\\s]+", 3);
      if (parts.length >= 2
          && !parts[1].isEmpty()
          && parts[1].chars().allMatch(Character::isDigit)) {
        numbers.put(parts[0], Long.parseLong(parts[1]));
      }
    }
    return numbers;
  }

  /// Name without its number: threads with the same work are one kind.
  static String kind(String thread) {
    if (thread.startsWith("C1 Comp") || thread.startsWith("C2 Comp")) {
      return "JIT";
    }
    if (thread.equals("VM Thread") || thread.startsWith("GC ") || thread.startsWith("G1 ")) {
      return "GC";
    }
    return thread.replaceAll("[-#]?\\d+(-\\d+)?$", "");
  }
}
