package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The window finds the number of calls that a worker can use, at any latency.
final class CallWindowTest {
  private static final int MAX = 1_024;

  private final CallWindow window = new CallWindow(MAX);

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 10", "1, 100", "20, 100", "200, 2", "200, 100", "2000, 10", "2000, 100"})
  void throughputNearsSlotsPerLatency(long latency, int slots) {
    var pool = new SimulatedPool(window, slots, SimulatedPool.always(latency));
    pool.run(60 * latency + 1_000);
    long span = 100 * latency + 1_000;
    pool.run(span);
    assertThat(pool.perSecond(span)).isGreaterThan(0.8 * slots * 1_000.0 / latency);
    assertThat(pool.percentile(0.99)).as("latency").isLessThanOrEqualTo(3 * latency + 60);
  }

  static Stream<Arguments> mixedTasks() {
    return Stream.of(200, 2_000)
        .flatMap(latency -> Stream.of(1L, 2L, 3L).map(seed -> Arguments.of(latency, 50, seed)));
  }

  @ParameterizedTest
  @MethodSource("mixedTasks")
  void throughputNearsSlotsPerLatencyWithMixedTasks(int latency, int slots, long seed) {
    var pool = new SimulatedPool(window, slots, SimulatedPool.about(latency, seed));
    pool.run(100L * latency);
    long span = 200L * latency;
    pool.run(span);
    assertThat(pool.perSecond(span)).isGreaterThan(0.75 * slots * 1_000.0 / latency);
    long alone = (long) (-latency * Math.log(0.01));
    assertThat(pool.percentile(0.99)).as("latency").isLessThan(3L * alone);
  }

  @ParameterizedTest
  @CsvSource({"20", "200", "2000"})
  void convergesWithinTwentyRoundTrips(long latency) {
    var pool = new SimulatedPool(window, 200, SimulatedPool.always(latency));
    pool.run(20 * latency);
    pool.run(2 * latency);
    assertThat(pool.perSecond(2 * latency)).isGreaterThan(0.75 * 200 * 1_000.0 / latency);
  }

  @Test
  void followsLatencyThatStepsUpAndDown() {
    var pool = new SimulatedPool(window, 100, SimulatedPool.always(200));
    pool.run(10_000);
    for (long latency : new long[] {2_000, 200, 20, 2_000, 20}) {
      pool.service = SimulatedPool.always(latency);
      pool.run(20 * latency + 20_000);
      long span = 20 * latency;
      pool.run(span);
      assertThat(pool.perSecond(span))
          .as("at " + latency)
          .isGreaterThan(0.75 * 100 * 1_000.0 / latency);
      assertThat(pool.percentile(0.99)).as("at " + latency).isLessThanOrEqualTo(3 * latency + 60);
    }
  }

  @Test
  void followsChangesOfTheSlots() {
    var pool = new SimulatedPool(window, 100, SimulatedPool.always(200));
    pool.run(10_000);
    pool.slots = 10;
    pool.run(60_000);
    pool.run(10_000);
    assertThat(pool.perSecond(10_000)).isGreaterThan(0.9 * 50);
    assertThat(pool.percentile(0.99)).isLessThanOrEqualTo(800);
    pool.slots = 200;
    pool.run(30_000);
    pool.run(10_000);
    assertThat(pool.perSecond(10_000)).isGreaterThan(0.75 * 1_000);
    assertThat(pool.percentile(0.99)).isLessThanOrEqualTo(800);
  }

  @ParameterizedTest
  @CsvSource({"2, 200", "100, 200", "2, 2000", "100, 2000", "100, 20"})
  void busyWorkerIsUsedFully(int slots, long latency) {
    var pool = new SimulatedPool(window, slots, SimulatedPool.always(latency));
    pool.refusesWhenFull = true;
    pool.run(30 * latency);
    long span = 100 * latency;
    pool.run(span);
    assertThat(pool.perSecond(span)).isGreaterThan(0.75 * slots * 1_000.0 / latency);
    assertThat(pool.refused).as("refused calls").isLessThan(pool.done / 2);
  }

  @Test
  void growsToItsMaximumWhileCallsAreAnsweredAtOnce() {
    assertThat(size()).isEqualTo(4);
    grow();
    assertThat(size()).isGreaterThan(MAX / 2).isLessThanOrEqualTo(MAX);
  }

  @Test
  void neverExceedsItsMaximum() {
    var pool = new SimulatedPool(new CallWindow(64), 1_000, SimulatedPool.always(200));
    pool.run(60_000);
    assertThat(pool.inFlight).isBetween(40, 64);
  }

  @Test
  void doesNotGrowWhileUnused() {
    for (int i = 0; i < 1_000; i++) {
      assertThat(window.admits(1)).isTrue();
      window.accepted(i, i + 1);
    }
    assertThat(size()).isEqualTo(4);
  }

  @Test
  void shrinksOnceForAllCallsSentBeforeTheRefusal() {
    grow();
    int before = size();
    for (int i = 0; i < 10; i++) {
      window.busy(200_000, 200_100, 0);
    }
    assertThat(size()).isEqualTo(before / 2);
    window.busy(200_100, 200_200, 0);
    assertThat(size()).isEqualTo(before / 4);
  }

  @Test
  void keepsTheCallsThatABusyWorkerHolds() {
    grow();
    window.busy(200_000, 200_100, size() * 3 / 5);
    assertThat(size()).isGreaterThan(MAX / 4);
  }

  @Test
  void restartsWithAProbeAfterAFailureAndRecoversSoon() {
    grow();
    window.failed(200_000);
    assertThat(size()).isEqualTo(1);
    for (int i = 0; i < MAX; i++) {
      size();
      window.accepted(200_000 + i, 200_001 + i);
    }
    assertThat(size()).isGreaterThanOrEqualTo(MAX / 4);
  }

  @Test
  void recoversSoonAfterManyFailures() {
    for (int i = 0; i < 100; i++) {
      window.failed(i);
    }
    var pool = new SimulatedPool(window, 100, SimulatedPool.always(200));
    pool.now = 1_000;
    pool.run(4_000);
    pool.run(1_000);
    assertThat(pool.done).isGreaterThan(250);
  }

  @Test
  void neverCloses() {
    for (int i = 0; i < 100; i++) {
      window.busy(i, i, 0);
      window.failed(i);
    }
    assertThat(window.admits(0)).isTrue();
  }

  private void grow() {
    for (int i = 0; i < 100_000; i++) {
      size();
      window.accepted(i, i + 1);
    }
  }

  private int size() {
    int calls = 0;
    while (window.admits(calls)) {
      calls++;
    }
    return calls;
  }
}
