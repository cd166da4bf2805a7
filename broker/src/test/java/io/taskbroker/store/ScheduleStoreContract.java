package io.taskbroker.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.activation.Status;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Contract of the schedules of a store.
public abstract class ScheduleStoreContract {
  private static final byte[] STATE = {1, 2, 3};

  private ActivationStore store;
  private long batches;

  protected abstract ActivationStore open();

  @BeforeEach
  final void openStore() {
    store = open();
  }

  @AfterEach
  final void closeStore() {
    store.close();
  }

  @Test
  void aScheduleIsFoundAsItWasWritten() {
    assertThat(schedules().create(row("ä", 7, 1_000))).isTrue();
    assertThat(schedules().create(row("ä", 8, 2_000))).isFalse();
    reopen();
    ScheduleRow found = schedules().find("ä").orElseThrow();
    assertThat(found.version()).isEqualTo(7);
    assertThat(found.dueAt()).isEqualTo(1_000);
    assertThat(found.state()).isEqualTo(STATE);
    assertThat(schedules().find("a")).isEmpty();
    assertThat(schedules().count()).isOne();
  }

  @Test
  void aWriteNamesTheVersionThatItReplaces() {
    schedules().create(row("s", 1, 1_000));
    assertThat(schedules().replace(row("s", 3, 2_000), 2)).isFalse();
    assertThat(schedules().replace(row("s", 2, ScheduleRow.NEVER), 1)).isTrue();
    assertThat(schedules().find("s").orElseThrow().dueAt()).isEqualTo(ScheduleRow.NEVER);
    assertThat(schedules().replace(row("t", 2, 1), 1)).isFalse();
    assertThat(schedules().delete("s")).isTrue();
    assertThat(schedules().delete("s")).isFalse();
  }

  @Test
  void pagesAreInTheOrderOfBytesAndBounded() {
    for (String name : List.of("b", "a", "ä", "B")) {
      schedules().create(row(name, 1, 1));
    }
    assertThat(names(schedules().page("", 10, 1_000))).containsExactly("B", "a", "b", "ä");
    assertThat(names(schedules().page("a", 1, 1_000))).containsExactly("b");
    assertThat(names(schedules().page("", 10, 4))).containsExactly("B", "a");
    assertThat(names(schedules().page("", 10, 1))).containsExactly("B");
  }

  @Test
  void dueSchedulesAreReadInOrder() {
    schedules().create(row("late", 1, 3_000));
    schedules().create(row("b", 1, 1_000));
    schedules().create(row("a", 1, 1_000));
    schedules().create(row("never", 1, ScheduleRow.NEVER));
    assertThat(names(schedules().due(Long.MIN_VALUE, "", 999, 10))).isEmpty();
    assertThat(names(schedules().due(Long.MIN_VALUE, "", 2_999, 10))).containsExactly("a", "b");
    assertThat(names(schedules().due(1_000, "a", 3_000, 10))).containsExactly("b", "late");
    assertThat(names(schedules().due(Long.MIN_VALUE, "", 3_000, 1))).containsExactly("a");
    assertThat(schedules().nextDue(Long.MIN_VALUE)).isEqualTo(1_000);
    assertThat(schedules().nextDue(1_000)).isEqualTo(3_000);
    assertThat(schedules().nextDue(3_000)).isEqualTo(ScheduleRow.NEVER);
  }

  @Test
  void aTaskAndTheStepOfItsScheduleAreStoredTogether() {
    schedules().create(row("s", 1, 1_000));
    long key = store.lastKey() + 1;
    assertThat(commit(fire(key, "s", 1, 2_000))).containsExactly(ChangeOutcome.APPLIED);
    reopen();
    assertThat(schedules().find("s").orElseThrow().version()).isEqualTo(2);
    assertThat(schedules().find("s").orElseThrow().dueAt()).isEqualTo(2_000);
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(key);
    assertThat(store.lastKey()).isGreaterThanOrEqualTo(key);
  }

  @Test
  void aStepFromAnotherVersionStoresNothing() {
    schedules().create(row("s", 5, 1_000));
    schedules().create(row("t", 5, 1_000));
    long key = store.lastKey();
    assertThat(
            commit(
                fire(key + 1, "s", 4, 2_000),
                fire(key + 2, "gone", 5, 2_000),
                fire(key + 3, "t", 5, 2_000),
                fire(key + 4, "t", 5, 3_000)))
        .containsExactly(
            ChangeOutcome.SUPERSEDED,
            ChangeOutcome.SUPERSEDED,
            ChangeOutcome.APPLIED,
            ChangeOutcome.SUPERSEDED);
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(key + 3);
    assertThat(schedules().find("s").orElseThrow().dueAt()).isEqualTo(1_000);
    assertThat(schedules().find("t").orElseThrow().dueAt()).isEqualTo(2_000);
  }

  /// A repeated batch has the outcomes that it had when it was committed (H6).
  @Test
  void h06ARepeatedBatchHasTheSameOutcomes() {
    schedules().create(row("s", 5, 1_000));
    long key = store.lastKey();
    var batch =
        new WriteBatch(
            ++batches, List.of(fire(key + 1, "s", 5, 2_000), fire(key + 2, "s", 4, 2_000)));
    List<ChangeOutcome> first = store.commit(batch);
    assertThat(first).containsExactly(ChangeOutcome.APPLIED, ChangeOutcome.SUPERSEDED);
    assertThat(store.commit(batch)).isEqualTo(first);
  }

  protected final ActivationStore store() {
    return store;
  }

  protected final ScheduleStore schedules() {
    return store.schedules();
  }

  protected final List<ChangeOutcome> commit(Change... changes) {
    return store.commit(new WriteBatch(++batches, List.of(changes)));
  }

  private void reopen() {
    store.close();
    store = open();
    batches = 0;
  }

  public static ScheduleRow row(String name, long version, long dueAt) {
    return new ScheduleRow(name, version, dueAt, STATE);
  }

  public static Change.Fire fire(long key, String schedule, long version, long next) {
    var task =
        new Activation(
            "id-" + key,
            "app",
            "namespace",
            "task",
            new byte[] {1, 2, 3},
            Origin.enqueued(1_000),
            Rows.NOW,
            Activation.NEVER,
            0,
            30,
            FailurePolicy.DISCARD,
            false,
            true);
    return new Change.Fire(
        Row.arriving(key, task, Status.PENDING, Rows.NOW),
        new ScheduleStep(version, row(schedule, version + 1, next)),
        null);
  }

  private static List<String> names(List<ScheduleRow> rows) {
    return rows.stream().map(ScheduleRow::name).toList();
  }
}
