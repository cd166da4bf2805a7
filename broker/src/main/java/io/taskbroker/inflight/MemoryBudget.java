package io.taskbroker.inflight;

/// Memory account of the tasks in flight, and the limit on them (G7). An application may use a
/// share of the free memory, so that applications without progress leave some for the others (G8,
/// H13). Not thread-safe.
final class MemoryBudget {
  /// Maximum of an application's memory, as a multiple of the free memory (H13).
  private static final int SHARE = 2;

  private final long max;
  private long bytes;

  /// Pages of parked rows that are being read.
  private int reads;

  /// @param max bytes at which ingest stops or parks
  MemoryBudget(long max) {
    this.max = max;
  }

  long bytes() {
    return bytes;
  }

  /// Whether anything may be accepted.
  boolean hasRoom() {
    return bytes < max;
  }

  /// Whether more of the application may be accepted. Its maximum shrinks with the free memory:
  /// however many applications make no progress, some memory is left for the others.
  boolean hasRoom(ApplicationQueue queue) {
    return queue.memoryBytes < SHARE * (max - bytes);
  }

  /// Whether another row may be parked. What memory keeps of parked rows may take three quarters of
  /// the maximum, on top of it: the id of each, and the queue of each application (G7).
  boolean hasRoomToPark(int rows, int applications) {
    return (long) rows * FingerprintMap.ID_BYTES
            + (long) applications * ApplicationQueue.OVERHEAD_BYTES
        < max / 4 * 3;
  }

  /// Whether another page of parked rows may be read: pages may take a quarter of the maximum on
  /// top of it, and one page is always allowed.
  boolean mayRead() {
    return reads < Math.max(1, max / 4 / ParkedBacklog.PAGE_BYTES);
  }

  /// Counts a requested page.
  void beginRead() {
    reads++;
  }

  /// Ends a page; its rows count one by one from now on.
  void endRead() {
    reads--;
  }

  /// Counts the memory of a task, and with the first task that of its application.
  void occupy(InFlightTask task) {
    long taken = task.bytes();
    ApplicationQueue queue = task.queue;
    bytes += queue.memoryBytes == 0 ? taken + ApplicationQueue.OVERHEAD_BYTES : taken;
    queue.memoryBytes += taken;
    task.countedBytes = taken;
  }

  /// Frees the memory of a task, if it is counted.
  void vacate(InFlightTask task) {
    long taken = task.countedBytes;
    if (taken > 0) {
      ApplicationQueue queue = task.queue;
      queue.memoryBytes -= taken;
      bytes -= queue.memoryBytes == 0 ? taken + ApplicationQueue.OVERHEAD_BYTES : taken;
      task.countedBytes = 0;
    }
  }

  /// Counts the memory of a task anew, if it is counted.
  void recount(InFlightTask task) {
    if (task.countedBytes > 0) {
      vacate(task);
      occupy(task);
    }
  }
}
