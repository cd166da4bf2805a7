package io.taskbroker.activation;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.TaskHistory.Entry;
import io.taskbroker.activation.TaskHistory.Step;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TaskHistoryTest {
  private static final long BASE = 1_700_000_000_123L;

  @Test
  void stepsComeBackAsTheyWere() {
    var history = new TaskHistory(BASE);
    history.add(Step.RECEIVED, BASE, "");
    history.add(Step.DELIVERED, BASE + 5_000_000_000L, "1 wörker");
    history.add(Step.ENDED, BASE - 40, "completed"); // the clock was set back
    assertThat(TaskHistory.decode(history.encoded()))
        .containsExactly(
            new Entry(Step.RECEIVED, BASE, ""),
            new Entry(Step.DELIVERED, BASE + 5_000_000_000L, "1 wörker"),
            new Entry(Step.ENDED, BASE - 40, "completed"));
  }

  @Test
  void longHistoryKeepsItsBeginningAndItsEnd() {
    var history = new TaskHistory(BASE);
    history.add(Step.RECEIVED, BASE, "");
    for (int i = 1; i <= 1_000; i++) {
      history.add(Step.DELIVERED, BASE + i, i + " worker");
    }
    byte[] encoded = history.encoded();
    assertThat(encoded.length).isLessThanOrEqualTo(TaskHistory.MAX_BYTES + Long.BYTES);
    List<Entry> entries = TaskHistory.decode(encoded);
    assertThat(entries.getFirst().step()).isEqualTo(Step.RECEIVED);
    assertThat(entries.getLast()).isEqualTo(new Entry(Step.DELIVERED, BASE + 1_000, "1000 worker"));
    Entry gap =
        entries.stream().filter(entry -> entry.step() == Step.LEFT_OUT).findFirst().orElseThrow();
    assertThat(Integer.parseInt(gap.detail())).isEqualTo(1_001 - (entries.size() - 1));
  }

  @Test
  void detailIsCutBetweenCharacters() {
    var history = new TaskHistory(BASE);
    history.add(Step.REPORTED, BASE, "x" + "ö".repeat(200));
    String detail = TaskHistory.decode(history.encoded()).getFirst().detail();
    assertThat(detail).isEqualTo("x" + "ö".repeat((TaskHistory.MAX_DETAIL_BYTES - 1) / 2));
  }

  @Test
  void damagedHistoryEndsAtTheDamage() {
    var history = new TaskHistory(BASE);
    history.add(Step.RECEIVED, BASE, "");
    history.add(Step.ENDED, BASE + 1, "completed");
    byte[] encoded = history.encoded();
    for (int length = 0; length < encoded.length; length++) {
      assertThat(TaskHistory.decode(Arrays.copyOf(encoded, length))).hasSizeLessThanOrEqualTo(1);
    }
  }
}
