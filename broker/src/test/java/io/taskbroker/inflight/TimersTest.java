package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TimersTest {
  private static final ApplicationQueue LANE =
      new ApplicationQueue("app", null, new OldestFirstPicker(new OldestFirstIndex()), 0);

  private record Due(long at, long key) {}

  /// Random sets, moves, cancels and polls, compared with a sorted map.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void matchesASortedMap(long seed) {
    var random = new SplittableRandom(seed);
    var timers = new Timers();
    Map<Due, InFlightTask> model =
        new TreeMap<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::key));
    List<InFlightTask> tasks = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      tasks.add(task(i));
    }
    long now = -10_000;
    for (int i = 0; i < 30_000; i++) {
      InFlightTask task = tasks.get(random.nextInt(tasks.size()));
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          remove(model, task);
          long at = now + random.nextInt(500);
          timers.set(task, at);
          model.put(new Due(at, task.key), task);
        }
        case 2 -> {
          remove(model, task);
          timers.cancel(task);
          assertThat(task.heapIndex).isNegative();
        }
        default -> {
          now += random.nextInt(3);
          InFlightTask polled = timers.poll(now);
          while (polled != null) {
            Due first = model.keySet().iterator().next();
            assertThat(polled).as("seed " + seed).isSameAs(model.remove(first));
            assertThat(polled.wakeAt).isLessThanOrEqualTo(now);
            polled = timers.poll(now);
          }
        }
      }
      long next = model.isEmpty() ? Long.MAX_VALUE : model.keySet().iterator().next().at();
      assertThat(timers.next()).as("seed " + seed).isEqualTo(next);
    }
  }

  private static void remove(Map<Due, InFlightTask> model, InFlightTask task) {
    if (task.heapIndex >= 0) {
      model.remove(new Due(task.wakeAt, task.key));
    }
  }

  @Test
  void nothingIsDueBeforeItsTime() {
    var timers = new Timers();
    timers.set(task(1), 100);
    assertThat(timers.poll(99)).isNull();
    assertThat(timers.poll(100)).isNotNull();
    assertThat(timers.poll(Long.MAX_VALUE)).isNull();
    assertThat(timers.next()).isEqualTo(Long.MAX_VALUE);
  }

  static InFlightTask task(long key) {
    return new InFlightTask(
        key, Task.of("t" + key).at(new Origin("tasks", 0, key), 0), TaskState.PENDING, LANE);
  }
}
