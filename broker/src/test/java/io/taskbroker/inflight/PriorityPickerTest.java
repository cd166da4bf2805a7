package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/// The picker of an application against a sorted list, by random operations.
final class PriorityPickerTest {
  private static final List<String> NAMESPACES = List.of("a", "b", "c");
  private static final int OPERATIONS = 4_000;

  private final OldestFirstIndex all = new OldestFirstIndex();
  private final PriorityPicker picker = new PriorityPicker(all);
  private final ApplicationQueue queue = new ApplicationQueue("app", null, picker, 0);
  private final List<InFlightTask> model = new ArrayList<>();
  private int sinceOldest;

  @RepeatedTest(20)
  void picksAsASortedListDoes(RepetitionInfo repetition) {
    var random = new Random(repetition.getCurrentRepetition());
    long key = 0;
    int priorities = 1 + random.nextInt(4);
    for (int i = 0; i < OPERATIONS; i++) {
      switch (random.nextInt(3)) {
        case 0 -> add(task(++key, random, priorities), false);
        case 1 -> take(random.nextInt(4) == 0 ? NAMESPACES.get(random.nextInt(3)) : null);
        default -> {
          if (!model.isEmpty() && random.nextInt(4) == 0) { // requeued
            InFlightTask task = model.get(random.nextInt(model.size()));
            remove(task);
            add(task, true);
          }
        }
      }
      assertThat(picker.isEmpty()).isEqualTo(model.isEmpty());
      assertThat(picker.oldest()).isEqualTo(model.stream().min(BY_AGE).orElse(null));
      assertThat(all.oldest()).isEqualTo(picker.oldest());
    }
  }

  private static final Comparator<InFlightTask> BY_AGE = Comparator.comparingLong(task -> task.key);

  private static final Comparator<InFlightTask> BY_PRIORITY =
      Comparator.<InFlightTask>comparingInt(task -> -task.activation.priority())
          .thenComparing(BY_AGE);

  private void take(@Nullable String namespace) {
    boolean mixed = isMixed();
    boolean byAge = mixed && sinceOldest % 16 == 15;
    InFlightTask wanted =
        model.stream()
            .filter(task -> namespace == null || task.activation.namespace().equals(namespace))
            .min(byAge ? BY_AGE : BY_PRIORITY)
            .orElse(null);
    InFlightTask next = picker.next(namespace);
    assertThat(next).isEqualTo(wanted);
    if (next != null) {
      remove(next);
    }
  }

  private boolean isMixed() {
    return model.stream().map(task -> task.activation.priority()).distinct().count() > 1;
  }

  private void remove(InFlightTask task) {
    if (isMixed()) {
      sinceOldest++;
    }
    picker.remove(task);
    model.remove(task);
  }

  private void add(InFlightTask task, boolean back) {
    picker.add(task, back);
    model.add(task);
  }

  private InFlightTask task(long key, Random random, int priorities) {
    Task task =
        Task.of("id-" + key)
            .namespace(NAMESPACES.get(random.nextInt(3)))
            .priority(random.nextInt(priorities) - priorities / 2);
    return new InFlightTask(
        key, task.at(Origin.enqueued(0), 0), TaskState.of(Status.PENDING, Step.STORED), queue);
  }
}
