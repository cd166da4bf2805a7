package io.taskbroker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.telemetry.Distribution;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Percentiles are those of the last minute.
final class LatenciesTest {
  private static final long SECOND = 1_000_000_000;

  private final Latencies latencies = new Latencies();

  @Test
  void withoutSamplesThereAreNone() {
    Views.Latency none = latencies.view();
    assertThat(none.overSeconds()).isZero();
    assertThat(none.waiting().tasks()).isZero();
    assertThat(none.waiting().p99Seconds()).isEmpty();
  }

  @Test
  void tasksOfMoreThanAMinuteAgoDoNotCount() {
    latencies.add(buckets(0, 0), Distribution.NONE, 0);
    for (int i = 1; i <= 13; i++) {
      latencies.add(buckets(100, 2L * i), Distribution.NONE, 5L * i * SECOND);
    }
    Views.Latency shown = latencies.view();
    assertThat(shown.overSeconds()).isEqualTo(60);
    assertThat(shown.waiting().tasks()).isEqualTo(24);
    assertThat(shown.waiting().p99Seconds().orElseThrow()).isBetween(0.9, 1.0);
  }

  /// @param old durations of an hour or so
  /// @param fresh durations of just under a second
  private static Distribution buckets(long old, long fresh) {
    return new Distribution(0, Map.of(96, old, 0, fresh));
  }
}
