package io.taskbroker.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Supplier;

/// What a call may cost at most, whatever it is given (G7).
public final class Cost {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Cost() {}

  /// The result of the call, which can be made again.
  ///
  /// @param bytes that it may allocate, those included that it gives back
  /// @throws AssertionError if it allocates more, and does so again: the first time, classes may
  ///   have been loaded
  public static <T> T within(long bytes, Supplier<T> call) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    T result = call.get();
    if (THREADS.getCurrentThreadAllocatedBytes() - before > bytes) {
      before = THREADS.getCurrentThreadAllocatedBytes();
      result = call.get();
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      assertThat(allocated).as("bytes allocated").isLessThanOrEqualTo(bytes);
    }
    return result;
  }
}
