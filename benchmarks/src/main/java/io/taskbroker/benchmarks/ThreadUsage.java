package io.taskbroker.benchmarks;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/// Resources spent by the calling thread so far.
final class ThreadUsage {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private ThreadUsage() {}

  /// Allocated bytes: independent of machine and load, except for allocations that the compiler
  /// eliminates, which lowers the count.
  static long bytes() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }

  /// CPU time, without the time spent waiting for a processor.
  static long nanos() {
    return THREADS.getCurrentThreadCpuTime();
  }
}
