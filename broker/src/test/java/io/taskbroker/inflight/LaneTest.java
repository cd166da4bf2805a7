package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Lanes, and the ready queues that they are made of.
final class LaneTest {
  private final Lane lane = new Lane("app", true, new CallWindow(100), new Heads(), 0);

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void queueDoesAsADequeDoes(long seed) {
    var random = new SplittableRandom(seed);
    var queue = new ReadyQueue();
    var model = new ArrayList<Entry>();
    for (int i = 0; i < 10_000; i++) {
      switch (random.nextInt(5)) {
        case 0, 1 -> {
          Entry entry = TimersTest.entry(i);
          queue.addLast(entry);
          model.add(entry);
        }
        case 2 -> {
          Entry entry = TimersTest.entry(random.nextInt(i + 1));
          queue.addBack(entry);
          model.add(placeOf(entry, model), entry);
        }
        default -> {
          if (!model.isEmpty()) {
            Entry entry = model.get(random.nextInt(Math.min(3, model.size())));
            queue.remove(entry);
            model.remove(entry);
            assertThat(entry.queue).isNull();
            assertThat(entry.next).isNull();
            assertThat(entry.previous).isNull();
          }
        }
      }
      assertThat(queue.first())
          .as("seed " + seed)
          .isSameAs(model.isEmpty() ? null : model.getFirst());
    }
  }

  @Test
  void oldestOfAllNamespacesIsFirst() {
    Entry third = add(3, "one");
    Entry first = add(1, "two");
    Entry second = add(2, "one");
    assertThat(lane.oldest(null)).isSameAs(first);
    assertThat(lane.oldest("one")).isSameAs(third);
    assertThat(lane.oldest("none")).isNull();
    lane.dequeue(first);
    lane.dequeue(third);
    assertThat(lane.oldest(null)).isSameAs(second);
    lane.dequeue(second);
    lane.dequeue(second);
    assertThat(lane.hasReady()).isFalse();
  }

  @Test
  void pauseGrowsWithMisfortuneAndEndsWithSuccess() {
    add(1, "one");
    var random = new SplittableRandom(1);
    long now = 0;
    long longest = 0;
    for (int i = 0; i < 20; i++) {
      lane.pause(now, now, random);
      long pause = lane.pauseEnds(now) - now;
      assertThat(lane.maySend(now + pause - 1)).isFalse();
      assertThat(lane.maySend(now + pause)).isTrue();
      longest = Math.max(longest, pause);
      now += pause;
    }
    assertThat(longest).isBetween(500L, 1_000L);
    lane.succeeded(now);
    lane.pause(now, now, random);
    assertThat(lane.pauseEnds(now) - now).isLessThanOrEqualTo(20);
  }

  @Test
  void callsFromBeforeAPauseDoNotProlongIt() {
    add(1, "one");
    lane.pause(0, 10, new SplittableRandom(1));
    long end = lane.pauseEnds(10);
    lane.pause(end - 1, end - 1, new SplittableRandom(2));
    assertThat(lane.pauseEnds(10)).isEqualTo(end);
  }

  @Test
  void laneWithoutAWorkerSendsNothingAndWaitsForNothing() {
    var nowhere = new Lane("nowhere", false, new CallWindow(100), new Heads(), 0);
    assertThat(nowhere.maySend(0)).isFalse();
    nowhere.pause(0, 0, new SplittableRandom(1));
    assertThat(nowhere.pauseEnds(0)).isEqualTo(Long.MAX_VALUE);
  }

  /// Before the first that arrived later.
  private static int placeOf(Entry entry, List<Entry> model) {
    int place = 0;
    while (place < model.size() && model.get(place).key < entry.key) {
      place++;
    }
    return place;
  }

  private Entry add(long key, String namespace) {
    var activation = Task.of("t" + key).namespace(namespace).at(new Origin("tasks", 0, key), 0);
    var entry = new Entry(key, activation, Status.PENDING, lane);
    lane.enqueue(entry, false);
    return entry;
  }
}
