package io.taskbroker.client;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.function.DoubleSupplier;

/// Slots that follow the use of heap and processors: while one is above its limit, a quarter fewer
/// at each look, and otherwise a tenth of the range more. Thread-safe.
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
  ResourceSlots(
      int least, int most, ResourceLimit limit, DoubleSupplier heap, DoubleSupplier cpu) {
    this.least = least;
    this.most = most;
    this.limit = limit;
    this.heap = heap;
    this.cpu = cpu;
    this.now = least;
  }

  /// By the resources of this process.
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

  /// Looks at the resources. To be called about once a second, by one thread.
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

  /// What the last collection left, as a part of the largest heap.
  private static double heapInUse() {
    long used = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      MemoryUsage left = pool.getType() == MemoryType.HEAP ? pool.getCollectionUsage() : null;
      used += left == null ? 0 : left.getUsed();
    }
    return (double) used / Runtime.getRuntime().maxMemory();
  }
}
