package io.taskbroker.store.postgres;

import io.taskbroker.runtime.Backoff;
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

/// The wait of a start for a server that is not up yet, as for Kafka: what may pass by itself is
/// tried again, and said once, when it changes, and once a minute. What only a person can mend ends
/// the wait at once; a server that cannot be trusted, after [Retry#max] tries.
final class StartWait {
  private static final Logger LOG = LoggerFactory.getLogger(StartWait.class);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
  private static final long REPEAT_NANOS = Duration.ofMinutes(1).toNanos();

  private final Retry retry;
  private final Backoff backoff;
  private final long begun = System.nanoTime();
  private String said = "";
  private long saidAt;

  StartWait(Retry retry) {
    this.retry = retry;
    Duration first = retry.delay().isPositive() ? retry.delay() : Duration.ofMillis(1);
    Duration longest = first.compareTo(LONGEST_PAUSE) > 0 ? first : LONGEST_PAUSE;
    this.backoff = new Backoff(first, longest, RandomGenerator.getDefault());
  }

  /// Something that may fail because the server is not there yet.
  interface Attempt<T> {
    /// @throws StoreException of kind `TRANSIENT` if it may work later
    T make();
  }

  /// @throws StoreException of kind `FATAL` if it fails for good, or the patience is over
  <T> T until(Attempt<T> attempt) {
    for (int failures = 0; ; failures++) {
      try {
        T made = attempt.make();
        if (failures > 0) {
          LOG.info("Postgres takes the broker in after {} ms", millis());
        }
        return made;
      } catch (StoreException e) {
        if (e.kind() != Kind.TRANSIENT || isOver(e, failures)) {
          throw new StoreException(Kind.FATAL, String.valueOf(e.getMessage()), e);
        }
        say(e);
        pause();
      }
    }
  }

  private boolean isOver(StoreException failure, int failures) {
    boolean untrusted =
        failure.getCause() instanceof SQLException cause && PostgresErrors.isOfTls(cause);
    return failures >= retry.max() && (untrusted || millis() >= retry.patience().toMillis());
  }

  private void say(StoreException failure) {
    String what =
        failure.getCause() instanceof SQLException cause ? PostgresErrors.state(cause) : "none";
    long now = System.nanoTime();
    if (!what.equals(said) || now - saidAt >= REPEAT_NANOS) {
      said = what;
      saidAt = now;
      LOG.warn("The start waits for Postgres, and tries again: {}", failure.getMessage());
    }
  }

  private void pause() {
    LockSupport.parkNanos(backoff.nextNanos());
    if (Thread.interrupted()) {
      Thread.currentThread().interrupt();
      throw new StoreException(Kind.FATAL, "Was interrupted while it waited for Postgres", null);
    }
  }

  private long millis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
  }
}
