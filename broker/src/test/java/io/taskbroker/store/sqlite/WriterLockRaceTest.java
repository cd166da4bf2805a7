package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import io.taskbroker.store.StoreException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Concurrent opening of a store in one process: one caller at a time gets the file (H23).
@Tag("concurrency")
@Timeout(240)
final class WriterLockRaceTest {
  @TempDir private Path dir;

  @Test
  void h23OneOwnerAtATime() {
    Path file = dir.resolve("store.db");
    Race.of(
        500,
        Holders::new,
        Collections.nCopies(3, holders -> holders.take(file)),
        holders -> {
          assertThat(holders.most).hasValue(1);
          assertThat(holders.now).hasValue(0);
        });
  }

  private static final class Holders {
    private final AtomicInteger now = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();

    @SuppressWarnings("ThreadPriorityCheck") // leaves the scheduling of the race to the system
    private void take(Path file) {
      try (WriterLock _ = WriterLock.take(file)) {
        most.accumulateAndGet(now.incrementAndGet(), Math::max);
        Thread.yield();
        now.decrementAndGet();
      } catch (StoreException _) {
        // Another caller has the lock.
      }
    }
  }
}
