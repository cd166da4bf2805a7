package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What does not come from Kafka, as canary tasks do: it has no part in watermarks and duplicates,
/// whatever origin it names (H23), and where it has no room it is refused (G7).
final class EnqueueTest {
  private static final int MAX = 5;

  private final EngineRig rig = new EngineRig(RigOptions.pull().maxPending(MAX));

  @Test
  void h23OriginThatWasMadeUpTouchesNoWatermark() {
    enqueue(Task.of("canary"), 0);
    RigPartition partition = rig.assigned("tasks");
    assertThat(rig.claim().id()).isEqualTo("canary");
    rig.report(Status.COMPLETE, "canary");
    assertThat(rig.store.watermark(partition.source).next()).isEqualTo(Watermark.NONE);
    assertThat(partition.consumed).isEqualTo(Watermark.NONE);
  }

  @Test
  void h23RecordFromTheMadeUpOriginIsNoDuplicate() {
    enqueue(Task.of("canary"), 0);
    RigPartition partition = rig.assigned("tasks");
    partition.send(Task.of("real"));
    assertThat(partition.consumed).isEqualTo(1);
    assertThat(List.of(rig.claim().id(), rig.claim().id())).containsExactly("canary", "real");
  }

  @Test
  void h23NoWatermarkDropsWhatIsEnqueued() {
    RigPartition partition = rig.assigned("tasks");
    partition.send(Task.of("real"), Task.of("other"));
    partition.commitOffset();
    rig.settle();
    enqueue(Task.of("canary"), 0);
    assertThat(rig.store.row("canary")).isPresent();
  }

  @Test
  void h23EnqueuedRowOutlivesARestartAndRunsWithoutAPartition() {
    enqueue(Task.of("canary"), 0);
    rig.crash();
    assertThat(rig.claim().id()).isEqualTo("canary");
  }

  @Test
  void g2EnqueueIsAnsweredWhenItIsDurable() {
    rig.commits = false;
    Asked asked = enqueue(Task.of("x"), 0);
    assertThat(asked.done).isZero();
    assertThat(rig.claim().id()).isEmpty();
    rig.commitAndSettle();
    assertThat(asked.done).isOne();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void g7EnqueueIsRefusedWhereThereIsNoRoomAndParksNothing() {
    for (int i = 0; i < MAX; i++) {
      assertThat(enqueue(Task.of("x" + i), i).done).isOne();
    }
    assertThat(enqueue(Task.of("more"), MAX).refused).isOne();
    assertThat(enqueue(Task.of("other").application("other"), MAX).done).isOne();
    assertThat(rig.depths().parked()).isZero();
    assertThat(rig.store.rows()).hasSize(MAX + 1);
  }

  @Test
  void h14WhatIsEnqueuedLeavesRoomToReports() {
    var full = new EngineRig(RigOptions.pull().maxChanges(8));
    full.commits = false;
    int refused = 0;
    for (int i = 0; i < 20; i++) {
      var asked = new Asked();
      full.tell(new Command.Enqueue(at(Task.of("x" + i), i, full), asked));
      full.settle();
      refused += asked.refused;
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
  void enqueuedIsPushed() {
    var pushed = new EngineRig(RigOptions.push("app"));
    pushed.tell(new Command.Enqueue(at(Task.of("x"), 0, pushed), new Asked()));
    pushed.settle();
    assertThat(pushed.handedOutIds()).containsExactly("x");
  }

  @Test
  void g5EnqueuedWithADelayWaitsForIt() {
    enqueue(Task.of("x").delayUntil(rig.wall + 500), 0);
    rig.pass(499);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h12EnqueuedThatTheStoreCannotHoldIsRefused() {
    rig.store.refuses = activation -> activation.id().equals("x");
    Asked asked = enqueue(Task.of("x"), 0);
    assertThat(asked.done).isZero();
    assertThat(asked.refused).isOne();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.departing).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Engine.Depths(0, 0, 0, 0, 0, 0));
  }

  private Asked enqueue(Task task, long offset) {
    var asked = new Asked();
    rig.tell(new Command.Enqueue(at(task, offset, rig), asked));
    rig.settle();
    return asked;
  }

  private static Activation at(Task task, long offset, EngineRig rig) {
    return task.at(new Origin("tasks", -1, offset), rig.wall);
  }

  private static final class Asked implements Command.EnqueueReply {
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
