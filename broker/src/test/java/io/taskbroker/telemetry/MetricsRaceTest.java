package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.taskbroker.Race;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Concurrent increments and reads of one metric: no increment is lost, and values read never
/// decrease.
@Tag("concurrency")
@Timeout(240)
final class MetricsRaceTest {
  private static final int TIMES = 50;

  @Test
  void noIncrementIsLost() {
    Race.of(
        30,
        Metrics::new,
        List.of(MetricsRaceTest::count, MetricsRaceTest::count, MetricsRaceTest::read),
        metrics -> assertThat(total(metrics)).isEqualTo(2.0 * TIMES));
  }

  private static void count(Metrics metrics) {
    for (int i = 0; i < TIMES; i++) {
      metrics.setStatus.of("ok", "status-" + i % 7).inc();
    }
  }

  private static void read(Metrics metrics) {
    double before = 0;
    for (int i = 0; i < 3; i++) {
      double now = total(metrics);
      assertThat(now).isGreaterThanOrEqualTo(before);
      before = now;
    }
  }

  private static double total(Metrics metrics) {
    double total = 0;
    for (Declared declared : metrics.declared()) {
      if (declared.name().equals("grpc_server.set_status")
          && declared.metric().collect() instanceof CounterSnapshot counters) {
        total = counters.getDataPoints().stream().mapToDouble(point -> point.getValue()).sum();
      }
    }
    return total;
  }
}
