package io.taskbroker.lab.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Live heap of a process after a collection, by class. Immutable.
///
/// @param at nanoseconds since the start of the load
record Heap(long at, long bytes, Map<String, Long> bytesByClass) {
  private static final Pattern LINE = Pattern.compile("\\s*\\d+:\\s+\\d+\\s+(\\d+)\\s+(\\S+).*");
  private static final long PATIENCE_SECONDS = 30;
  private static final int GROWN = 8;

  Heap {
    bytesByClass = Map.copyOf(bytesByClass);
  }

  /// Triggers a collection and reads the class histogram.
  ///
  /// @param scratch file for the output of `jcmd`
  /// @throws IllegalStateException if the process does not respond
  static Heap of(long pid, long at, Path scratch) throws InterruptedException {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    try {
      Process process =
          new ProcessBuilder(jcmd.toString(), Long.toString(pid), "GC.class_histogram")
              .redirectErrorStream(true)
              .redirectOutput(scratch.toFile())
              .start();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("Process " + pid + " did not answer jcmd");
      }
      return parse(Files.readAllLines(scratch, UTF_8), at);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not look at the heap of process " + pid, e);
    }
  }

  static Heap parse(List<String> histogram, long at) {
    var classes = new HashMap<String, Long>();
    for (String line : histogram) {
      Matcher matcher = LINE.matcher(line);
      if (matcher.matches()) {
        classes.merge(matcher.group(2), Long.parseLong(matcher.group(1)), Long::sum);
      }
    }
    if (classes.isEmpty()) {
      throw new IllegalStateException("jcmd printed no histogram but: " + histogram);
    }
    return new Heap(at, classes.values().stream().mapToLong(Long::longValue).sum(), classes);
  }

  /// The classes that grew most since an earlier measurement.
  String grownSince(Heap before) {
    return bytesByClass.entrySet().stream()
        .map(entry ->
            Map.entry(
                entry.getKey(),
                entry.getValue() - before.bytesByClass.getOrDefault(entry.getKey(), 0L)))
        .filter(entry -> entry.getValue() > 0)
        .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
        .limit(GROWN)
        .map(entry -> "%s by %,d".formatted(entry.getKey(), entry.getValue()))
        .collect(Collectors.joining(", "));
  }
}
