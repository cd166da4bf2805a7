package io.taskbroker.admin;

import io.taskbroker.admin.AuditLog.Entry;
import io.taskbroker.runtime.LogInterval;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Record of acts that were not done because their caller may not do them: one entry in ten seconds
/// at most, so that nobody drives the acts that were done out of the record. An entry has the
/// number of those before it that have none. Thread-safe.
final class RefusedActs {
  private static final Logger log = LoggerFactory.getLogger(RefusedActs.class);
  static final Duration INTERVAL = Duration.ofSeconds(10);
  private static final int LONGEST_ACT = 200;

  private final AuditLog audit;
  private final InstantSource clock;
  private final LongSupplier nanoTime;
  private final LogInterval entries = new LogInterval(INTERVAL);
  private long without;

  RefusedActs(AuditLog audit, InstantSource clock, LongSupplier nanoTime) {
    this.audit = audit;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /// @param address of the caller
  /// @param act method and path
  synchronized void add(String address, String act, ApiProblem why) {
    if (!entries.isDue("refused", nanoTime.getAsLong())) {
      without++;
      return;
    }
    try {
      audit.record(
          new Entry(
              clock.instant(),
              "refused",
              "",
              "",
              address,
              act.length() > LONGEST_ACT ? act.substring(0, LONGEST_ACT) + "…" : act,
              why.detail(),
              null,
              null,
              Map.of("status", why.status(), "without_entry", without)));
      without = 0;
    } catch (IOException e) {
      without++;
      log.error("A refused act is not in the record: {}", e.getMessage());
    }
  }
}
