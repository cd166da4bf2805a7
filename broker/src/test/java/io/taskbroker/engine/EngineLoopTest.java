package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sleep time of the engine.
final class EngineLoopTest {
  private static final long NOW = -5_000_000_123L;

  @Test
  void sleepsUntilTheNextTimer() {
    long wait = EngineLoop.nanosUntil(1_000, NOW);
    assertThat(NOW + wait).isBetween(1_000_000_000L, 1_001_000_000L);
    assertThat(EngineLoop.nanosUntil(-5_002, NOW)).isNotPositive();
  }

  /// A task that expires centuries from now must not keep the engine awake.
  @ParameterizedTest
  @ValueSource(longs = {10_000_000_000_000L, 1_000_000_000_000_000L, Long.MAX_VALUE})
  void clampsTimesBeyondTheRangeOfNanoseconds(long wake) {
    assertThat(EngineLoop.nanosUntil(wake, NOW)).isGreaterThan(Duration.ofMinutes(1).toNanos());
  }
}
