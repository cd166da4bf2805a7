package io.taskbroker.benchmarks;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/// What the calling thread has spent so far.
final class Spent {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Spent() {}

  /// Bytes that it has allocated: the same on any machine and under any load, but for what the
  /// compiler avoids, which is less and never more.
  static long bytes() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }

  /// CPU time, which does not count how long it waited for a processor.
  static long nanos() {
    return THREADS.getCurrentThreadCpuTime();
  }
}
