package io.taskbroker.ingest.fetch;

import java.util.concurrent.atomic.AtomicLong;

/// The share of the heap that records of all topics take together between Kafka and the store (G7).
/// Thread-safe, does not block.
public final class IntakeMemory {
  private final long max;
  private final AtomicLong used = new AtomicLong();

  public IntakeMemory(long max) {
    this.max = max;
  }

  /// Memory without a bound.
  public static IntakeMemory unbounded() {
    return new IntakeMemory(Long.MAX_VALUE);
  }

  /// Takes memory if there is some. What is larger than all of it fits when nothing else is there,
  /// so that no record waits for ever.
  boolean tryTake(long bytes) {
    long before = used.get();
    while (before <= 0 || bytes <= max - before) {
      if (used.compareAndSet(before, before + bytes)) {
        return true;
      }
      before = used.get();
    }
    return false;
  }

  /// Counts what is there already.
  public void add(long bytes) {
    used.addAndGet(bytes);
  }

  public void give(long bytes) {
    used.addAndGet(-bytes);
  }

  long used() {
    return used.get();
  }
}
