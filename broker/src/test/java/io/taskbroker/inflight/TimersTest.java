package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
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
  private static final Lane LANE = new Lane("app", false, new CallWindow(1), new Heads(), 0);

  private record Due(long at, long key) {}

  /// Sets, moves, cancels and polls at random, beside a sorted map.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void doesAsASortedMapDoes(long seed) {
    var random = new SplittableRandom(seed);
    var timers = new Timers();
    Map<Due, Entry> model =
        new TreeMap<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::key));
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      entries.add(entry(i));
    }
    long now = -10_000;
    for (int i = 0; i < 30_000; i++) {
      Entry entry = entries.get(random.nextInt(entries.size()));
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          remove(model, entry);
          long at = now + random.nextInt(500);
          timers.set(entry, at);
          model.put(new Due(at, entry.key), entry);
        }
        case 2 -> {
          remove(model, entry);
          timers.cancel(entry);
          assertThat(entry.heapIndex).isNegative();
        }
        default -> {
          now += random.nextInt(3);
          Entry polled = timers.poll(now);
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

  private static void remove(Map<Due, Entry> model, Entry entry) {
    if (entry.heapIndex >= 0) {
      model.remove(new Due(entry.wakeAt, entry.key));
    }
  }

  @Test
  void nothingIsDueBeforeItsTime() {
    var timers = new Timers();
    timers.set(entry(1), 100);
    assertThat(timers.poll(99)).isNull();
    assertThat(timers.poll(100)).isNotNull();
    assertThat(timers.poll(Long.MAX_VALUE)).isNull();
    assertThat(timers.next()).isEqualTo(Long.MAX_VALUE);
  }

  static Entry entry(long key) {
    return new Entry(
        key, Task.of("t" + key).at(new Origin("tasks", 0, key), 0), Status.PENDING, LANE);
  }
}
