package io.taskbroker.client;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;

/// Number of slots that follows the use of heap and processors: at each look it shrinks by a
/// quarter if one of them is above its limit, and otherwise grows by a tenth of the range.
/// Thread-safe.
final class ResourceSlots {
  private static final int STEPS = 10;

  private final int least;
  private final int most;
  private final ResourceLimit limit;
  private final DoubleSupplier heap;
  private final DoubleSupplier cpu;
  private volatile int now;

  /// @param heap part of the heap that is in use, 0 to 1
  /// @param cpu part of the time that processors are busy, 0 to 1; negative if not known
  ResourceSlots(int least, int most, ResourceLimit limit, DoubleSupplier heap, DoubleSupplier cpu) {
    this.least = least;
    this.most = most;
    this.limit = limit;
    this.heap = heap;
    this.cpu = cpu;
    this.now = least;
  }

  /// Slots that follow the resources of this process.
  static ResourceSlots ofProcess(int least, int most, ResourceLimit limit) {
    var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return new ResourceSlots(least, most, limit, ResourceSlots::heapInUse, system::getCpuLoad);
  }

  /// Slots since the last look.
  int now() {
    return now;
  }

  int most() {
    return most;
  }

  /// Looks once a second, until the result is cancelled.
  ///
  /// @param running tasks that run now
  ScheduledFuture<?> follow(ScheduledExecutorService timer, IntSupplier running) {
    return timer.scheduleAtFixedRate(() -> look(running.getAsInt()), 0, 1, TimeUnit.SECONDS);
  }

  /// Looks at the resources. To be called by one thread.
  ///
  /// @param running tasks that run now
  void look(int running) {
    boolean above = heap.getAsDouble() > limit.heap() || cpu.getAsDouble() > limit.cpu();
    int next =
        above
            ? Math.min(now, running) - Math.max(1, running / 4)
            : now + Math.max(1, (most - least) / STEPS);
    now = Math.clamp(next, least, most);
  }

  /// Heap that the last collection left in use, as a part of the largest heap.
  private static double heapInUse() {
    long used = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      MemoryUsage left = pool.getType() == MemoryType.HEAP ? pool.getCollectionUsage() : null;
      used += left == null ? 0 : left.getUsed();
    }
    return (double) used / Runtime.getRuntime().maxMemory();
  }
}
