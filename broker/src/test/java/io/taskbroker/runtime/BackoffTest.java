package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class BackoffTest {
  @Test
  void doublesUpToTheMaximumWithJitter() {
    Set<Long> lastWaits = new HashSet<>();
    for (int seed = 0; seed < 100; seed++) {
      Backoff backoff = new Backoff(Duration.ofNanos(100), Duration.ofNanos(900), new Random(seed));
      for (int full : new int[] {100, 200, 400, 800, 900, 900}) {
        assertThat(backoff.nextNanos()).as("seed %s", seed).isBetween(full / 2L, (long) full);
      }
      lastWaits.add(backoff.nextNanos());
      backoff.reset();
      assertThat(backoff.nextNanos()).as("seed %s", seed).isBetween(50L, 100L);
    }
    assertThat(lastWaits).hasSizeGreaterThan(20);
  }

  @Test
  void longWaitsDoNotOverflow() {
    Duration longest = Duration.ofNanos(Long.MAX_VALUE);
    Backoff backoff = new Backoff(longest.dividedBy(2), longest, new Random(1));
    for (int i = 0; i < 5; i++) {
      assertThat(backoff.nextNanos()).isPositive();
    }
  }

  @Test
  void rejectsInvalidBounds() {
    assertThatThrownBy(() -> new Backoff(Duration.ZERO, Duration.ofSeconds(1), new Random(1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> new Backoff(Duration.ofSeconds(2), Duration.ofSeconds(1), new Random(1)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
