package io.taskbroker.testkit;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Polling wait for an idle worker, so that workers need not signal.
final class IdleWait {
  private static final Duration PERIOD = Duration.ofMillis(10);

  private final BooleanSupplier idle;

  IdleWait(BooleanSupplier idle) {
    this.idle = idle;
  }

  boolean await(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!idle.getAsBoolean()) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      LockSupport.parkNanos(this, PERIOD.toNanos());
    }
    return true;
  }
}
