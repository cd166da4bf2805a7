package io.taskbroker.inflight;

/// How much of the heap what is in flight takes, and whether more may come in (G7). Of what is free
/// an application may have a share, so that those that stand still leave something for the others
/// (G8, H13). Not thread-safe.
final class MemoryBudget {
  /// An application may have as many times the memory that is free (H13).
  private static final int SHARE = 2;

  private final long max;
  private long bytes;

  /// Pages of parked rows that are being read back.
  private int reads;

  /// @param max the bytes at which intake stops or parks
  MemoryBudget(long max) {
    this.max = max;
  }

  long bytes() {
    return bytes;
  }

  /// Whether anything may be taken in.
  boolean hasRoom() {
    return bytes < max;
  }

  /// Whether more of the application may be taken in. What it may have shrinks with what is free,
  /// so that however many applications stand still, something is left for the others.
  boolean hasRoom(ApplicationQueue queue) {
    return queue.memoryBytes < SHARE * (max - bytes);
  }

  /// Whether another page of parked rows may be read: those that are being read may take a quarter
  /// of the memory beside it, and one always may.
  boolean mayRead() {
    return reads < Math.max(1, max / 4 / ParkedBacklog.PAGE_BYTES);
  }

  /// A page is asked for.
  void beginRead() {
    reads++;
  }

  /// A page is there; its rows count one by one from now on.
  void endRead() {
    reads--;
  }

  /// Counts the memory of an entry, and with the first one that of its application.
  void occupy(InFlightTask task) {
    long taken = task.bytes();
    ApplicationQueue queue = task.queue;
    bytes += queue.memoryBytes == 0 ? taken + ApplicationQueue.OVERHEAD_BYTES : taken;
    queue.memoryBytes += taken;
    task.countedBytes = taken;
  }

  /// Takes that back, if it is counted.
  void vacate(InFlightTask task) {
    long taken = task.countedBytes;
    if (taken > 0) {
      ApplicationQueue queue = task.queue;
      queue.memoryBytes -= taken;
      bytes -= queue.memoryBytes == 0 ? taken + ApplicationQueue.OVERHEAD_BYTES : taken;
      task.countedBytes = 0;
    }
  }
}
