package io.taskbroker.telemetry;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Concurrent first lookups of tag values: one data point per value, and no more than the bound
/// (W46).
@Tag("concurrency")
@Timeout(300)
final class LabelledLincheckTest {
  private static final int BOUND = 2;

  @SuppressWarnings("ReferenceEquality") // identity matters
  @Test
  void concurrentLookupsShareOneDataPoint() {
    Interleavings.of(() -> {
      var labelled = shared(labelled());
      var found = new @Nullable CounterDataPoint[2];
      Actor other = start(() -> found[0] = labelled.of("a", "x"));
      found[1] = labelled.of("a", "x");
      join(other);
      check(found[0] == found[1], "two data points");
      check(labelled.of("a", "y") != found[0], "same data point for another value");
      check(labelled.size() == 2, labelled.size());
    });
  }

  @Test
  void w46DataPointsAreBounded() {
    Interleavings.of(() -> {
      var labelled = shared(labelled());
      Actor other =
          start(() -> {
            labelled.of("a", "x");
            labelled.of("b", "x");
          });
      labelled.of("c", "x");
      labelled.of("a", "x");
      join(other);
      check(labelled.size() == BOUND, labelled.size());
    });
  }

  private static Labelled<CounterDataPoint> labelled() {
    return new Labelled<>(
        Counter.builder().name("counter").labelNames("one", "two").withoutExemplars().build(),
        2,
        BOUND);
  }
}
