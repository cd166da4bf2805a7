package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The engine reports each outcome of a change that its model excludes, and no other.
final class OutcomeModelTest {
  private static final Origin ORIGIN = new Origin("tasks", 0, 5);
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "uuid", "tasks", 0);
  private static final Activation ACTIVATION = Task.of("x").at(ORIGIN, 0);
  private static final List<Change> KINDS =
      List.of(
          new Change.Insert(Row.arriving(7, ACTIVATION, Status.PENDING, 0), null),
          new Change.Fire(
              Row.arriving(7, ACTIVATION, Status.PENDING, 0),
              new ScheduleStep(1, new ScheduleRow("s", 2, 5, new byte[0])),
              null),
          new Change.UpdateStatus(
              7, "x", ORIGIN, Status.PENDING, 0, Row.NONE, Row.NONE, false, false, null),
          new Change.ConfirmOffset(7, "x", ORIGIN, null),
          new Change.Forward(7, "x", ORIGIN, Status.RETRY, null, Destination.of("retries"), null),
          new Change.Delete(7, "x", ORIGIN, Row.NONE, null),
          new Change.AdvanceWatermark(PARTITION, 6, null),
          new Change.OffsetCommitted(PARTITION, 6, null));

  private final List<String> reported = new ArrayList<>();

  static Stream<Arguments> pairs() {
    return KINDS.stream()
        .flatMap(change ->
            Stream.of(ChangeOutcome.values()).map(outcome -> Arguments.of(change, outcome)));
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void storeOfOneBroker(Change change, ChangeOutcome outcome) {
    var rig = new EngineRig(RigOptions.pull());
    rig.onUnexpected = this::report;
    rig.tell(answer(change, outcome));
    rig.step();
    boolean allowed =
        outcome == ChangeOutcome.APPLIED
            || (outcome == ChangeOutcome.SUPERSEDED && change instanceof Change.Fire);
    assertThat(reported).isEqualTo(allowed ? List.of() : List.of(change.kind() + outcome));
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void storeOfManyBrokers(Change change, ChangeOutcome outcome) {
    var peer = new EnginesOnSharedStore(RigOptions.pull()).peer("a");
    peer.onUnexpected = this::report;
    peer.tell(answer(change, outcome));
    peer.step();
    boolean excluded =
        outcome == ChangeOutcome.DUPLICATE
            || outcome == ChangeOutcome.MISSING
            || (outcome == ChangeOutcome.SUPERSEDED && !(change instanceof Change.Fire));
    assertThat(reported).isEqualTo(excluded ? List.of(change.kind() + outcome) : List.of());
  }

  private void report(Change change, ChangeOutcome outcome) {
    reported.add(change.kind() + outcome);
  }

  private static Command answer(Change change, ChangeOutcome outcome) {
    return outcome == ChangeOutcome.FENCED
        ? new Command.Fenced(List.of(change))
        : new Command.Committed(List.of(change), List.of(outcome));
  }
}
