package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// An enqueued activation, such as a canary task, takes no part in watermarks and duplicates,
/// whatever its origin (H23). A command is answered when all that it says is durable (G2).
final class EnqueueTest {
  private static final int MAX = 5;

  private final EngineRig rig = new EngineRig(RigOptions.pull().maxPending(MAX).maxParked(2));

  @Test
  void h23SyntheticOriginAffectsNoWatermark() {
    enqueue(Task.of("canary"), 0);
    RigPartition partition = rig.assigned("tasks");
    assertThat(rig.claim().id()).isEqualTo("canary");
    rig.report(Status.COMPLETE, "canary");
    assertThat(rig.store.watermark(partition.source).next()).isEqualTo(Watermark.NONE);
    assertThat(partition.consumed).isEqualTo(Watermark.NONE);
  }

  @Test
  void h23RecordFromTheSyntheticOriginIsNoDuplicate() {
    enqueue(Task.of("canary"), 0);
    RigPartition partition = rig.assigned("tasks");
    partition.send(Task.of("real"));
    assertThat(partition.consumed).isEqualTo(1);
    assertThat(List.of(rig.claim().id(), rig.claim().id())).containsExactly("canary", "real");
  }

  @Test
  void h23NoWatermarkDropsEnqueuedTasks() {
    RigPartition partition = rig.assigned("tasks");
    partition.send(Task.of("real"), Task.of("other"));
    partition.commitOffset();
    rig.settle();
    enqueue(Task.of("canary"), 0);
    assertThat(rig.store.row("canary")).isPresent();
  }

  @Test
  void h23EnqueuedRowSurvivesARestartAndRunsWithoutAPartition() {
    enqueue(Task.of("canary"), 0);
    rig.crash();
    assertThat(rig.claim().id()).isEqualTo("canary");
  }

  @Test
  void g2EnqueueIsAnsweredWhenItIsDurable() {
    rig.commits = false;
    RecordedReply reply = enqueue(Task.of("x"), 0);
    assertThat(reply.outcomes).isEmpty();
    assertThat(rig.claim().id()).isEmpty();
    rig.commitAndSettle();
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void g7SurplusIsParkedAndRefusedWhenNoMoreMayBeParked() {
    for (int i = 0; i < MAX + 2; i++) {
      assertThat(enqueue(Task.of("x" + i), i).outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
    }
    assertThat(rig.depths().parked()).isEqualTo(2);
    assertThat(enqueue(Task.of("more"), MAX).outcomes).containsExactly(EnqueueOutcome.FULL);
    assertThat(enqueue(Task.of("other").application("other"), MAX).outcomes)
        .containsExactly(EnqueueOutcome.ACCEPTED);
    for (int i = 0; i < MAX + 2; i++) {
      assertThat(rig.claim("app", null).id()).isEqualTo("x" + i);
      rig.report(Status.COMPLETE, "x" + i);
    }
  }

  @Test
  void g2ParkedTaskIsAnsweredWhenItIsDurable() {
    rig.commits = false;
    RecordedReply reply = enqueue(Task.of("far").delayUntil(rig.wall + 86_400_000), 0);
    assertThat(rig.depths().parked()).isOne();
    assertThat(reply.outcomes).isEmpty();
    rig.commitAndSettle();
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
  }

  @Test
  void h14EnqueuedTasksLeaveRoomForReportsAndWaitForTheStore() {
    var full = new EngineRig(RigOptions.pull().maxChanges(8));
    full.commits = false;
    var reply = new RecordedReply();
    List<Activation> many = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      many.add(at(Task.of("x" + i), i, full));
    }
    full.tell(new Command.Enqueue(many, reply));
    full.settle();
    assertThat(full.store.uncommitted()).hasSize(6);
    assertThat(full.engine().hasRoom()).isTrue();
    full.commits = true;
    full.settle();
    assertThat(reply.outcomes).hasSize(20).containsOnly(EnqueueOutcome.ACCEPTED);
  }

  @Test
  void g2ARepeatedEnqueueIsAnsweredWhenTheFirstIsDurable() {
    rig.commits = false;
    RecordedReply first = enqueue(Task.of("x"), 0);
    RecordedReply repeated = enqueue(Task.of("x"), 0);
    assertThat(first.outcomes).isEmpty();
    assertThat(repeated.outcomes).isEmpty();
    rig.commitAndSettle();
    rig.commitAndSettle();
    assertThat(first.outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
    assertThat(repeated.outcomes).containsExactly(EnqueueOutcome.ALREADY_EXISTS);
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void aRepeatedEnqueueOfATaskThatTheStoreRefusesIsNotConfirmed() {
    rig.commits = false;
    rig.store.refuses = activation -> activation.id().equals("x");
    RecordedReply first = enqueue(Task.of("x"), 0);
    RecordedReply repeated = enqueue(Task.of("x"), 0);
    rig.commits = true;
    rig.settle();
    assertThat(first.outcomes).containsExactly(EnqueueOutcome.UNSTORABLE);
    assertThat(repeated.refused).isOne();
  }

  @Test
  void idsOfOneCommandExistOnce() {
    var reply = new RecordedReply();
    rig.tell(
        new Command.Enqueue(
            List.of(at(Task.of("x"), 0, rig), at(Task.of("y"), 0, rig), at(Task.of("x"), 0, rig)),
            reply));
    rig.settle();
    assertThat(reply.outcomes)
        .containsExactly(
            EnqueueOutcome.ACCEPTED, EnqueueOutcome.ACCEPTED, EnqueueOutcome.ALREADY_EXISTS);
  }

  @Test
  void h08ARememberedIdIsADuplicateAlsoAfterARestart() {
    enqueue(Task.of("x").derived(), 0);
    rig.claim();
    rig.report(Status.COMPLETE, "x");
    assertThat(enqueue(Task.of("x"), 0).outcomes).containsExactly(EnqueueOutcome.ALREADY_EXISTS);
    rig.crash();
    assertThat(enqueue(Task.of("x"), 0).outcomes).containsExactly(EnqueueOutcome.ALREADY_EXISTS);
  }

  @Test
  void g3AtMostOnceTaskNeedsNoOffsetCommit() {
    enqueue(Task.once("x"), 0);
    assertThat(rig.claim().id()).isEqualTo("x");
    enqueue(Task.once("far").delayUntil(rig.wall + 86_400_000), 0);
    rig.pass(86_400_000);
    assertThat(rig.claim().id()).isEqualTo("far");
  }

  @Test
  void h22SwitchedOffTaskIsRefused() {
    rig.rule(RigRules.killingIds("x"));
    assertThat(enqueue(Task.of("x"), 0).outcomes).containsExactly(EnqueueOutcome.SWITCHED_OFF);
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void w28ExpiredTaskIsRefused() {
    assertThat(enqueue(Task.of("x").expiresAt(rig.wall), 0).outcomes)
        .containsExactly(EnqueueOutcome.EXPIRED);
  }

  @Test
  void whatWaitsWhenTheBrokerStopsIsNotAnswered() {
    var full = new EngineRig(RigOptions.pull().maxChanges(4));
    full.commits = false;
    var reply = new RecordedReply();
    full.tell(
        new Command.Enqueue(
            List.of(
                at(Task.of("a"), 0, full),
                at(Task.of("b"), 0, full),
                at(Task.of("c"), 0, full),
                at(Task.of("d"), 0, full)),
            reply));
    full.settle();
    full.tell(new Command.Drain());
    full.settle();
    full.commits = true;
    full.settle();
    assertThat(reply.outcomes).isEmpty();
    assertThat(reply.refused).isOne();
  }

  @Test
  void enqueuedTaskIsPushed() {
    var pushed = new EngineRig(RigOptions.push("app"));
    pushed.tell(new Command.Enqueue(List.of(at(Task.of("x"), 0, pushed)), new RecordedReply()));
    pushed.settle();
    assertThat(pushed.deliveredIds()).containsExactly("x");
  }

  @Test
  void g5EnqueuedTaskWaitsForItsDelay() {
    enqueue(Task.of("x").delayUntil(rig.wall + 500), 0);
    rig.pass(499);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  /// Of a worker of the compatible services: the broker may have no Kafka.
  @Test
  void aReportedRetryOfAnEnqueuedTaskStaysInTheStore() {
    enqueue(Task.of("x"), 0);
    for (int attempt = 0; attempt < 3; attempt++) {
      assertThat(rig.claim().id()).isEqualTo("x");
      assertThat(rig.report(Status.RETRY, "x").isAnswered()).isTrue();
      assertThat(rig.outbox).isEmpty();
    }
    rig.crash();
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h12EnqueuedTaskThatTheStoreCannotHoldIsRefused() {
    rig.store.refuses = activation -> activation.id().equals("x");
    RecordedReply reply = enqueue(Task.of("x"), 0);
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.UNSTORABLE);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  private RecordedReply enqueue(Task task, long offset) {
    var reply = new RecordedReply();
    rig.tell(new Command.Enqueue(List.of(at(task, offset, rig)), reply));
    rig.settle();
    return reply;
  }

  private static Activation at(Task task, long offset, EngineRig rig) {
    return task.at(new Origin("tasks", -1, offset), rig.wall);
  }

  private static final class RecordedReply implements Command.EnqueueReply {
    List<EnqueueOutcome> outcomes = List.of();
    int refused;

    @Override
    public void done(List<EnqueueOutcome> all) {
      assertThat(outcomes).as("answered twice").isEmpty();
      outcomes = all;
    }

    @Override
    public void unavailable(String why) {
      refused++;
    }
  }
}
