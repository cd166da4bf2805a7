package io.taskbroker.client;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

/// What this process has used so far.
///
/// @param allocatedBytes by all threads, those that have ended included
/// @param switches times that a platform thread waited, those that live; 0 if the system does not
///   tell
record ProcessUsage(long cpuNanos, long allocatedBytes, long switches) {
  private static final Path THREADS = Path.of("/proc/self/task");
  private static final String SWITCHES = "voluntary_ctxt_switches:";

  static ProcessUsage now() throws IOException {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return new ProcessUsage(
        system.getProcessCpuTime(), threads.getTotalThreadAllocatedBytes(), threadSwitches());
  }

  ProcessUsage since(ProcessUsage before) {
    return new ProcessUsage(
        cpuNanos - before.cpuNanos,
        allocatedBytes - before.allocatedBytes,
        switches - before.switches);
  }

  private static long threadSwitches() throws IOException {
    if (!Files.exists(THREADS)) {
      return 0;
    }
    try (Stream<Path> threads = Files.list(THREADS)) {
      long sum = 0;
      for (Path each : threads.toList()) {
        sum += switchesOf(each.resolve("status"));
      }
      return sum;
    }
  }

  private static long switchesOf(Path status) throws IOException {
    try {
      return Files.readAllLines(status).stream()
          .filter(line -> line.startsWith(SWITCHES))
          .mapToLong(line -> Long.parseLong(line.substring(SWITCHES.length()).strip()))
          .sum();
    } catch (NoSuchFileException e) {
      return 0; // it has ended
    }
  }
}
