package io.taskbroker.grpc;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A warning that anybody outside can provoke as often as they like: logged once in ten seconds,
/// with the number of times it was left out. Thread-safe.
final class RareWarning {
  private static final long INTERVAL = TimeUnit.SECONDS.toNanos(10);

  private final Logger logger;
  private final AtomicLong next = new AtomicLong(System.nanoTime());
  private final AtomicLong leftOut = new AtomicLong();

  RareWarning(Class<?> about) {
    this(LoggerFactory.getLogger(about));
  }

  RareWarning(Logger logger) {
    this.logger = logger;
  }

  void log(String format, Object argument) {
    long now = System.nanoTime();
    long due = next.get();
    if (now - due < 0 || !next.compareAndSet(due, now + INTERVAL)) {
      leftOut.incrementAndGet();
      return;
    }
    logger.warn(format + " ({} more since the last such line)", argument, leftOut.getAndSet(0));
  }
}
