package io.taskbroker.grpc;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// Rate-limited warning for events that any client can cause: logged at most once in ten seconds,
/// with the number of suppressed occurrences. Thread-safe.
final class RareWarning {
  private static final long INTERVAL = TimeUnit.SECONDS.toNanos(10);

  private final Logger logger;
  private final Level level;
  private final AtomicLong next = new AtomicLong(System.nanoTime());
  private final AtomicLong suppressed = new AtomicLong();

  RareWarning(Class<?> about) {
    this(about, Level.WARN);
  }

  RareWarning(Class<?> about, Level level) {
    this(LoggerFactory.getLogger(about), level);
  }

  RareWarning(Logger logger) {
    this(logger, Level.WARN);
  }

  private RareWarning(Logger logger, Level level) {
    this.logger = logger;
    this.level = level;
  }

  void log(String format, Object... arguments) {
    long now = System.nanoTime();
    long due = next.get();
    if (now - due < 0 || !next.compareAndSet(due, now + INTERVAL)) {
      suppressed.incrementAndGet();
      return;
    }
    Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = suppressed.getAndSet(0);
    logger.atLevel(level).log(format + " ({} more since the last such line)", all);
  }
}
