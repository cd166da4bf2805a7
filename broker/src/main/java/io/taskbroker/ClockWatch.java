package io.taskbroker;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.HealthSource;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Watch of the time of day against monotonic time: a difference between two looks is a step of the
/// clock, by NTP, an operator or a suspended machine. Confined to the watchdog's thread.
final class ClockWatch implements HealthSource {
  /// Smallest difference that counts as a step.
  private static final long STEP_MILLIS = 5_000;

  private static final Duration SHOWN_FOR = Duration.ofMinutes(10);

  private final InstantSource clock;
  private final Ticker ticker;
  private final Metrics metrics;
  private long offset;
  private long steppedAt;
  private List<Condition> shown = List.of();

  ClockWatch(InstantSource clock, Ticker ticker, Metrics metrics) {
    this.clock = clock;
    this.ticker = ticker;
    this.metrics = metrics;
    this.offset = clock.millis() - TimeUnit.NANOSECONDS.toMillis(ticker.nanoTime());
  }

  @Override
  public List<Condition> conditions() {
    long now = ticker.nanoTime();
    long millis = clock.millis();
    long current = millis - TimeUnit.NANOSECONDS.toMillis(now);
    long step = current - offset;
    offset = current;
    if (Math.abs(step) >= STEP_MILLIS) {
      steppedAt = now;
      metrics.clockSteps.inc();
      shown =
          List.of(
              new Condition(
                  Condition.Kind.CLOCK_STEPPED,
                  "clock",
                  "the clock of this machine stepped by %+d s to %s"
                      .formatted(Math.round(step / 1_000.0), Instant.ofEpochMilli(millis))));
    } else if (now - steppedAt >= SHOWN_FOR.toNanos()) {
      shown = List.of();
    }
    return shown;
  }
}
