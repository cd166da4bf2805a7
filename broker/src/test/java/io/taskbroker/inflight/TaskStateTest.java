package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Transition table of the task states.
final class TaskStateTest {
  /// Valid successors of a row's status: a task that ran to its end is done, however late its
  /// report is (G6, H18).
  private static final Map<Status, Set<Status>> ROW =
      Map.of(
          Status.DELAY, EnumSet.of(Status.PENDING, Status.FAILURE, Status.RETRY, Status.COMPLETE),
          Status.PENDING,
              EnumSet.of(
                  Status.CLAIMED, Status.PROCESSING, Status.FAILURE, Status.RETRY, Status.COMPLETE),
          Status.CLAIMED,
              EnumSet.of(
                  Status.PENDING, Status.PROCESSING, Status.FAILURE, Status.RETRY, Status.COMPLETE),
          Status.PROCESSING,
              EnumSet.of(Status.PENDING, Status.FAILURE, Status.RETRY, Status.COMPLETE),
          Status.RETRY, EnumSet.of(Status.FAILURE, Status.COMPLETE),
          Status.FAILURE, EnumSet.of(Status.COMPLETE),
          Status.COMPLETE, EnumSet.noneOf(Status.class));

  @ParameterizedTest
  @EnumSource
  void statusesFollowTheOrderOfTheRow(TaskState state) {
    for (TaskState next : TaskTransitions.of(state).values()) {
      if (next.status != state.status) {
        assertThat(ROW.get(state.status)).as(state + " to " + next).contains(next.status);
      }
    }
  }

  @Test
  void everyStateIsReachedAndLeft() {
    Set<TaskState> reached = EnumSet.of(TaskState.INSERTING, TaskState.INSERTING_DELAYED);
    for (Status status : Status.values()) {
      reached.add(TaskState.restored(status));
    }
    for (TaskState state : TaskState.values()) {
      reached.addAll(TaskTransitions.of(state).values());
    }
    assertThat(reached).containsExactlyInAnyOrder(TaskState.values());
    for (TaskState state : TaskState.values()) {
      assertThat(state.after(TaskEvent.EVICT) == null).isEqualTo(state == TaskState.GONE);
    }
  }

  @Test
  void forwardedTaskNeverRunsAgain() {
    for (TaskState state : TaskState.values()) {
      if (state.isForwarding()) {
        assertThat(TaskTransitions.of(state).values())
            .as(state.name())
            .allMatch(next -> next.isForwarding() || next.status == Status.COMPLETE);
      }
    }
  }

  @Test
  void anImpossibleEventIsAnErrorThatNamesTheTask() {
    var queue = new ApplicationQueue("app", null, new OldestFirstPicker(new OldestFirstIndex()), 0);
    var activation = Task.of("x").at(new Origin("tasks", 0, 0), 0);
    var task = new InFlightTask(1, activation, TaskState.GONE, queue);

    assertThatThrownBy(() -> task.apply(TaskEvent.CLAIM))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Activation x: event CLAIM cannot happen in state GONE");
  }
}
