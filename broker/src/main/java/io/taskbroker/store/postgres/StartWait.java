package io.taskbroker.store.postgres;

import io.taskbroker.runtime.Backoff;
import io.taskbroker.runtime.LogInterval;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.PostgresOptions.Retry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Retry loop of the start while the server is not ready. Transient errors are retried, and logged
/// when they change and once a minute. An error that needs an operator ends the wait at once; a
/// failed TLS negotiation, after [Retry#max] retries.
final class StartWait {
  private static final Logger LOG = LoggerFactory.getLogger(StartWait.class);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
  private static final Duration REPEAT_AFTER = Duration.ofMinutes(1);

  private final Retry retry;
  private final Backoff backoff;
  private final long startNanos = System.nanoTime();
  private final LogInterval lines = new LogInterval(REPEAT_AFTER);

  StartWait(Retry retry) {
    this.retry = retry;
    Duration first = retry.delay().isPositive() ? retry.delay() : Duration.ofMillis(1);
    Duration longest = first.compareTo(LONGEST_PAUSE) > 0 ? first : LONGEST_PAUSE;
    this.backoff = new Backoff(first, longest, RandomGenerator.getDefault());
  }

  /// Operation that may fail while the server is not ready.
  interface Attempt<T> {
    /// @throws StoreException of kind `TRANSIENT` if a retry can succeed
    T run();
  }

  /// @throws StoreException of kind `FATAL` if the error is permanent or the patience is exhausted
  <T> T retryUntilReady(Attempt<T> attempt) {
    for (int failures = 0; ; failures++) {
      try {
        T result = attempt.run();
        if (failures > 0) {
          LOG.info("Connected to Postgres after {} ms", millis());
        }
        return result;
      } catch (StoreException e) {
        if (e.kind() != Kind.TRANSIENT || isOver(e, failures)) {
          throw new StoreException(Kind.FATAL, String.valueOf(e.getMessage()), e);
        }
        logWaiting(e);
        pause();
      }
    }
  }

  private boolean isOver(StoreException failure, int failures) {
    boolean untrusted =
        failure.getCause() instanceof SQLException cause && PostgresErrors.isOfTls(cause);
    return failures >= retry.max() && (untrusted || millis() >= retry.patience().toMillis());
  }

  private void logWaiting(StoreException failure) {
    String state =
        failure.getCause() instanceof SQLException cause ? PostgresErrors.state(cause) : "none";
    if (lines.isDue(state, System.nanoTime())) {
      LOG.warn("The start waits for Postgres, and tries again: {}", failure.getMessage());
    }
  }

  private void pause() {
    LockSupport.parkNanos(backoff.nextNanos());
    if (Thread.interrupted()) {
      Thread.currentThread().interrupt();
      throw new StoreException(Kind.FATAL, "Interrupted while waiting for Postgres", null);
    }
  }

  private long millis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
  }
}
