package io.taskbroker.ingest.fetch;

import java.util.concurrent.atomic.AtomicLong;

/// Share of the heap that the records of all topics take together between Kafka and the store (G7).
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

  /// Takes memory if enough is free. A request larger than the whole succeeds when nothing is
  /// taken, so that no record waits for ever.
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

  /// Adds memory that is allocated already; negative to give it back.
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
