package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.inflight.api.WaitingReason.Kind;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// Reason why a task does not run, in each state and for each obstacle.
final class WaitingReasonTest {
  private EngineRig rig = new EngineRig(RigOptions.push("app"));
  private RigPartition partition = rig.assigned("tasks");

  @Test
  void insertIsNotDurable() {
    rig.commits = false;
    partition.send(Task.of("x"));
    assertThat(reason("x").kind()).isEqualTo(Kind.INSERTING);
  }

  @Test
  void delayedUntilItsTime() {
    partition.send(Task.of("x").delayUntil(rig.wall + 5_000));
    assertThat(reason("x").kind()).isEqualTo(Kind.DELAYED);
    assertThat(reason("x").until()).hasValue(rig.wall + 5_000);
  }

  @Test
  void parkedIsOnDisk() {
    partition.send(Task.of("x").delayUntil(rig.wall + RigOptions.PARK_HORIZON * 2));
    assertThat(reason("x").kind()).isEqualTo(Kind.PARKED);
  }

  @Test
  void atMostOnceWaitsForItsOffsetThenForItsStatus() {
    partition.send(Task.once("x"));
    assertThat(reason("x").kind()).isEqualTo(Kind.OFFSET_COMMIT);
    assertThat(reason("x").detail()).isEqualTo("tasks/0@0");
    rig.commits = false;
    partition.commitOffset();
    rig.settle();
    assertThat(reason("x").kind()).isEqualTo(Kind.STATUS_WRITE);
  }

  @Test
  void workerHasItUntilItsLeaseEnds() {
    partition.send(Task.of("x"));
    assertThat(reason("x").kind()).isEqualTo(Kind.WITH_WORKER);
    assertThat(reason("x").until()).hasValue(rig.wall + RigOptions.LEASE);
  }

  @Test
  void uncertainDeliveryIsPostponed() {
    rig.worker = _ -> PushOutcome.LOST;
    partition.send(Task.of("x"));
    assertThat(reason("x").kind()).isEqualTo(Kind.POSTPONED);
    assertThat(reason("x").until().orElseThrow()).isGreaterThan(rig.wall);
  }

  @Test
  void applicationHasNoWorker() {
    partition.send(Task.of("x").application("other"));
    assertThat(reason("x").kind()).isEqualTo(Kind.NO_WORKER);
    assertThat(reason("x").detail()).isEqualTo("other");
  }

  @Test
  void workerIsUnreachable() {
    rig.worker = _ -> PushOutcome.UNREACHABLE;
    partition.send(Task.of("x"));
    assertThat(reason("x").kind()).isEqualTo(Kind.WORKER_PAUSED);
    assertThat(reason("x").until().orElseThrow()).isGreaterThan(rig.wall);
  }

  @Test
  void callWindowIsFull() {
    for (int i = 0; i < 100; i++) {
      partition.send(Task.of("x" + i));
    }
    assertThat(reason("x99").kind()).isEqualTo(Kind.CALL_WINDOW_FULL);
    assertThat(reason("x99").detail()).isEqualTo(Integer.toString(rig.calls.size()));
  }

  @Test
  void pulledTasksAreQueuedInTheirOrder() {
    rig = new EngineRig(RigOptions.pull());
    partition = rig.assigned("tasks");
    partition.send(Task.of("a"), Task.of("b"), Task.of("c"));
    assertThat(reason("c").kind()).isEqualTo(Kind.QUEUED);
    assertThat(reason("c").detail()).isEqualTo("2");
  }

  @Test
  void drainingBrokerDeliversNothing() {
    rig = new EngineRig(RigOptions.pull());
    partition = rig.assigned("tasks");
    partition.send(Task.of("x"));
    rig.tell(new Command.Drain());
    rig.settle();
    assertThat(reason("x").kind()).isEqualTo(Kind.BROKER_NOT_DELIVERING);
  }

  @Test
  void forwardedThenQuarantinedNamesTheTopic() {
    partition.send(Task.of("x").expiresAt(rig.wall - 1).deadLetters());
    assertThat(reason("x").kind()).isEqualTo(Kind.FORWARDING);
    assertThat(reason("x").detail()).isEqualTo(RigOptions.DEAD_LETTER_TOPIC);
    rig.tell(new Command.ProduceRefused(rig.outbox.removeFirst(), "no such topic"));
    rig.settle();
    assertThat(reason("x").kind()).isEqualTo(Kind.QUARANTINED);
    assertThat(reason("x").detail()).isEqualTo(RigOptions.DEAD_LETTER_TOPIC);
  }

  @Test
  void completedIsBeingDeleted() {
    partition.send(Task.of("x"));
    rig.commits = false;
    rig.report(Status.COMPLETE, "x");
    assertThat(reason("x").kind()).isEqualTo(Kind.ENDED);
  }

  @Test
  void suspectRunsAlone() {
    partition.send(Task.of("x"));
    for (int losses = 0; losses < 2; losses++) {
      rig.answer(PushOutcome.LOST);
      rig.pass(2_500);
    }
    partition.send(Task.of("y"));
    assertThat(reason("y").kind()).isEqualTo(Kind.SUSPECT_RUNS_ALONE);
    assertThat(reason("y").detail()).isEqualTo("x");
  }

  @Test
  void rowWaitsForItsPartitionToBeAssigned() {
    partition.send(Task.once("x"));
    rig.crash();
    assertThat(reason("x").kind()).isEqualTo(Kind.PARTITION_NOT_ASSIGNED);
    assertThat(reason("x").detail()).isEqualTo("tasks/0");
  }

  @Test
  void unknownIdHasNone() {
    assertThat(rig.engine().waitingReason("x")).isNull();
  }

  private WaitingReason reason(String id) {
    return Objects.requireNonNull(rig.engine().waitingReason(id), id);
  }
}
