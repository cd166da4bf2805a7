package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Application queues and their ready queues.
final class ApplicationQueueTest {
  private final PushChannel push = new PushChannel(new CallWindow(100), _ -> {});
  private final ApplicationQueue queue =
      new ApplicationQueue("app", push, new OldestFirstPicker(new OldestFirstIndex()), 0);

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void queueMatchesADeque(long seed) {
    var random = new SplittableRandom(seed);
    var queue = new ReadyQueue();
    var model = new ArrayList<InFlightTask>();
    for (int i = 0; i < 10_000; i++) {
      switch (random.nextInt(5)) {
        case 0, 1 -> {
          InFlightTask task = TimersTest.task(i);
          queue.addLast(task);
          model.add(task);
        }
        case 2 -> {
          InFlightTask task = TimersTest.task(random.nextInt(i + 1));
          queue.addBack(task);
          model.add(indexOf(task, model), task);
        }
        default -> {
          if (!model.isEmpty()) {
            InFlightTask task = model.get(random.nextInt(Math.min(3, model.size())));
            queue.remove(task);
            model.remove(task);
            assertThat(task.readyQueue).isNull();
            assertThat(task.next).isNull();
            assertThat(task.previous).isNull();
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
    InFlightTask third = add(3, "one");
    InFlightTask first = add(1, "two");
    InFlightTask second = add(2, "one");
    assertThat(queue.ready.next(null)).isSameAs(first);
    assertThat(queue.ready.next("one")).isSameAs(third);
    assertThat(queue.ready.next("none")).isNull();
    queue.ready.remove(first);
    queue.ready.remove(third);
    assertThat(queue.ready.next(null)).isSameAs(second);
    queue.ready.remove(second);
    queue.ready.remove(second);
    assertThat(queue.hasReady()).isFalse();
  }

  @Test
  void pauseGrowsWithFailuresAndEndsWithSuccess() {
    add(1, "one");
    var random = new SplittableRandom(1);
    long now = 0;
    long longest = 0;
    for (int i = 0; i < 20; i++) {
      push.pause(now, now, random);
      long pause = queue.pauseEnds(now) - now;
      assertThat(push.credits(now + pause - 1)).isZero();
      assertThat(push.credits(now + pause)).isPositive();
      longest = Math.max(longest, pause);
      now += pause;
    }
    assertThat(longest).isBetween(500L, 1_000L);
    queue.succeeded(now);
    push.pause(now, now, random);
    assertThat(queue.pauseEnds(now) - now).isLessThanOrEqualTo(20);
  }

  @Test
  void callsFromBeforeAPauseDoNotExtendIt() {
    add(1, "one");
    push.pause(0, 10, new SplittableRandom(1));
    long end = queue.pauseEnds(10);
    push.pause(end - 1, end - 1, new SplittableRandom(2));
    assertThat(queue.pauseEnds(10)).isEqualTo(end);
  }

  @Test
  void applicationWithoutAWorkerPushesNothingAndSetsNoTimer() {
    var nowhere =
        new ApplicationQueue("nowhere", null, new OldestFirstPicker(new OldestFirstIndex()), 0);
    assertThat(nowhere.channels()).isEmpty();
    assertThat(nowhere.pauseEnds(0)).isEqualTo(Long.MAX_VALUE);
  }

  /// Index before the first task that arrived later.
  private static int indexOf(InFlightTask task, List<InFlightTask> model) {
    int position = 0;
    while (position < model.size() && model.get(position).key < task.key) {
      position++;
    }
    return position;
  }

  private InFlightTask add(long key, String namespace) {
    var activation = Task.of("t" + key).namespace(namespace).at(new Origin("tasks", 0, key), 0);
    var task = new InFlightTask(key, activation, TaskState.PENDING, queue);
    queue.ready.add(task, false);
    return task;
  }
}
