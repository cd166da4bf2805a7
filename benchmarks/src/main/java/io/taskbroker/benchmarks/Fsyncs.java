package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Counter of the fsyncs of processes by `perf stat`, where it is installed and permitted.
final class Fsyncs {
  private static final String EVENTS = "syscalls:sys_enter_fsync,syscalls:sys_enter_fdatasync";
  private static final long STOP_SECONDS = 5;

  private final @Nullable Process perf;
  private final Path output;

  private Fsyncs(@Nullable Process perf, Path output) {
    this.perf = perf;
    this.output = output;
  }

  /// Starts counting.
  ///
  /// @param output file for the output of `perf`
  static Fsyncs of(List<Long> pids, Path output) {
    String list = pids.stream().map(String::valueOf).collect(Collectors.joining(","));
    var builder =
        new ProcessBuilder(
                "perf", "stat", "-x", ",", "-e", EVENTS, "-o", output.toString(), "-p", list)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    try {
      return new Fsyncs(builder.start(), output);
    } catch (IOException _) {
      return new Fsyncs(null, output);
    }
  }

  /// Stops counting. Empty if the count is unavailable.
  OptionalLong stop() throws InterruptedException {
    if (perf == null) {
      return OptionalLong.empty();
    }
    interrupt(perf);
    if (!perf.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
      perf.destroyForcibly();
      return OptionalLong.empty();
    }
    try {
      return sum(Files.readAllLines(output, UTF_8));
    } catch (IOException _) {
      return OptionalLong.empty();
    }
  }

  private static void interrupt(Process process) throws InterruptedException {
    try {
      new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    } catch (IOException _) {
      process.destroy();
    }
  }

  /// Parses lines such as `123,,syscalls:sys_enter_fsync,…`.
  static OptionalLong sum(List<String> lines) {
    long sum = 0;
    boolean any = false;
    for (String line : lines) {
      String[] fields = line.split(",", 4);
      if (fields.length > 2 && fields[2].contains("sync")) {
        if (!fields[0].chars().allMatch(Character::isDigit)) {
          return OptionalLong.empty();
        }
        sum += Long.parseLong(fields[0]);
        any = true;
      }
    }
    return any ? OptionalLong.of(sum) : OptionalLong.empty();
  }
}
