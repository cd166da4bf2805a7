package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/// Percentiles from the broker's histograms are right to 5 %, over all tasks and since a moment.
final class DistributionTest {
  private final Metrics metrics = new Metrics();

  @Test
  void percentilesAreOfAllTaskNames() {
    for (int i = 1; i <= 1_000; i++) {
      metrics.receivedToPush.of("n", "task-" + i % 3).observe(i / 1_000.0);
    }
    Distribution waiting = metrics.waiting();
    assertThat(waiting.count()).isEqualTo(1_000);
    assertThat(waiting.quantile(0.5)).hasValueCloseTo(0.5, five(0.5));
    assertThat(waiting.quantile(0.95)).hasValueCloseTo(0.95, five(0.95));
    assertThat(waiting.quantile(1)).hasValueCloseTo(1.0, five(1));
    assertThat(metrics.running().quantile(0.5)).isEmpty();
  }

  @Test
  void pulledAndPushedTasksWaitAlike() {
    metrics.receivedToPush.of("n", "t").observe(1);
    metrics.receivedToGetTask.of("n", "t").observe(1);
    assertThat(metrics.waiting().count()).isEqualTo(2);
  }

  @Test
  void onlyWhatWasAddedSinceCounts() {
    metrics.runTime.of("a", "slow").observe(100);
    metrics.runTime.of("a", "quick").observe(0);
    Distribution before = metrics.running();
    metrics.runTime.of("a", "quick").observe(0.01);
    metrics.runTime.of("a", "quick").observe(0);
    Distribution since = metrics.running().since(before);
    assertThat(since.count()).isEqualTo(2);
    assertThat(since.quantile(0.5)).hasValue(0);
    assertThat(since.quantile(0.99)).hasValueCloseTo(0.01, five(0.01));
    assertThat(before.since(before).quantile(0.5)).isEmpty();
  }

  private static Offset<Double> five(double value) {
    return within(value * 0.05);
  }
}
