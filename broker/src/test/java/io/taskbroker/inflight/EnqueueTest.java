package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import java.util.List;
import org.junit.jupiter.api.Test;

/// An enqueued activation, such as a canary task, takes no part in watermarks and duplicates,
/// whatever its origin (H23), and is refused if there is no room (G7).
final class EnqueueTest {
  private static final int MAX = 5;

  private final EngineRig rig = new EngineRig(RigOptions.pull().maxPending(MAX));

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
    assertThat(reply.done).isZero();
    assertThat(rig.claim().id()).isEmpty();
    rig.commitAndSettle();
    assertThat(reply.done).isOne();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void g7EnqueueIsRefusedWithoutRoomAndParksNothing() {
    for (int i = 0; i < MAX; i++) {
      assertThat(enqueue(Task.of("x" + i), i).done).isOne();
    }
    assertThat(enqueue(Task.of("more"), MAX).refused).isOne();
    assertThat(enqueue(Task.of("other").application("other"), MAX).done).isOne();
    assertThat(rig.depths().parked()).isZero();
    assertThat(rig.store.rows()).hasSize(MAX + 1);
  }

  @Test
  void h14EnqueuedTasksLeaveRoomForReports() {
    var full = new EngineRig(RigOptions.pull().maxChanges(8));
    full.commits = false;
    int refused = 0;
    for (int i = 0; i < 20; i++) {
      var reply = new RecordedReply();
      full.tell(new Command.Enqueue(at(Task.of("x" + i), i, full), reply));
      full.settle();
      refused += reply.refused;
    }
    assertThat(full.store.uncommitted()).hasSize(6);
    assertThat(refused).isEqualTo(14);
    assertThat(full.engine().hasRoom()).isTrue();
  }

  @Test
  void enqueuedTwiceIsRefusedOnce() {
    assertThat(enqueue(Task.of("x"), 0).done).isOne();
    assertThat(enqueue(Task.of("x"), 0).refused).isOne();
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void enqueuedTaskIsPushed() {
    var pushed = new EngineRig(RigOptions.push("app"));
    pushed.tell(new Command.Enqueue(at(Task.of("x"), 0, pushed), new RecordedReply()));
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

  @Test
  void h12EnqueuedTaskThatTheStoreCannotHoldIsRefused() {
    rig.store.refuses = activation -> activation.id().equals("x");
    RecordedReply reply = enqueue(Task.of("x"), 0);
    assertThat(reply.done).isZero();
    assertThat(reply.refused).isOne();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  private RecordedReply enqueue(Task task, long offset) {
    var reply = new RecordedReply();
    rig.tell(new Command.Enqueue(at(task, offset, rig), reply));
    rig.settle();
    return reply;
  }

  private static Activation at(Task task, long offset, EngineRig rig) {
    return task.at(new Origin("tasks", -1, offset), rig.wall);
  }

  private static final class RecordedReply implements Command.EnqueueReply {
    int done;
    int refused;

    @Override
    public void done() {
      done++;
    }

    @Override
    public void unavailable(String why) {
      refused++;
    }
  }
}
