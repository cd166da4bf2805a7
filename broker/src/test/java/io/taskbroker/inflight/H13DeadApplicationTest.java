package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// H13: an application with dead workers fills its own limit; its surplus is parked, and its
/// neighbours go on.
final class H13DeadApplicationTest {
  private static final int MAX = 5;

  private final EngineRig rig = new EngineRig(RigOptions.pull().maxPending(MAX));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h13NeighbourOnTheSamePartitionGoesOn() {
    partition.send(many("dead", 3 * MAX));
    partition.send(Task.of("live").application("live"));
    assertThat(rig.claim("live", null).id()).isEqualTo("live");
    assertThat(rig.depths().pending()).isEqualTo(MAX);
    assertThat(rig.depths().parked()).isEqualTo(2 * MAX);
    assertThat(partition.consumed).isEqualTo(3 * MAX + 1);
  }

  @Test
  void h13SurplusRunsInOrderOnceItsWorkersAreBack() {
    partition.send(many("dead", 3 * MAX));
    partition.send(Task.of("live").application("live"));
    partition.send(many("later", 2));
    for (int i = 0; i < 3 * MAX; i++) {
      assertThat(rig.claim("app", null).id()).isEqualTo("dead-" + i);
      rig.report(Status.COMPLETE, "dead-" + i);
    }
    assertThat(List.of(rig.claim("app", null).id(), rig.claim("app", null).id()))
        .containsExactly("later-0", "later-1");
    rig.report(Status.COMPLETE, "later-0", "later-1", "live");
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h13SurplusSurvivesARestart() {
    partition.send(many("dead", 3 * MAX));
    partition.send(Task.of("live").application("live"));
    rig.crash();
    for (int i = 0; i < 3 * MAX; i++) {
      assertThat(rig.claim("app", null).id()).isEqualTo("dead-" + i);
      rig.report(Status.COMPLETE, "dead-" + i);
    }
  }

  @Test
  void h13SingleApplicationThatMakesProgressOnlyWaits() {
    partition.send(many("task", 3 * MAX));
    assertThat(rig.depths().parked()).isZero();
    assertThat(partition.consumed).isEqualTo(5);
    for (int i = 0; i < 3 * MAX; i++) {
      rig.pass(500);
      assertThat(rig.claim().id()).isEqualTo("task-" + i);
      rig.report(Status.COMPLETE, "task-" + i);
      assertThat(rig.depths().parked()).isZero();
    }
    assertThat(partition.consumed).isEqualTo(3 * MAX);
  }

  @Test
  void h13LimitHoldsWhereOneApplicationIsBlockedAlone() {
    partition.send(many("task", 3 * MAX));
    rig.pass(3_600_000);
    assertThat(rig.depths().pending()).isEqualTo(MAX);
    assertThat(rig.store.rows()).hasSize(MAX);
    assertThat(partition.consumed).isEqualTo(MAX);
    assertThat(partition.blockedApplication)
        .as("the reader must look for other applications")
        .isEqualTo("app");

    partition.append(Task.of("live").application("live"));
    rig.tell(new Command.LookaheadFound(partition.source, partition.end() - 1));
    rig.settle();
    assertThat(partition.consumed).as("the reader can go on").isEqualTo(3 * MAX);
    partition.poll(1);
    rig.settle();
    assertThat(rig.claim("live", null).id()).isEqualTo("live");
    assertThat(partition.blockedApplication).isNull();

    rig.pass(60_000);
    partition.send(many("later", 2));
    rig.pass(3_600_000);
    assertThat(rig.depths().parked()).as("no neighbour waits behind those").isEqualTo(2 * MAX);
    assertThat(partition.consumed).isEqualTo(3 * MAX + 1);
    assertThat(partition.blockedApplication).isEqualTo("app");
  }

  @Test
  void h13NeighbourThatWaitsInAnotherPartitionCounts() {
    RigPartition other = rig.assigned("tasks", 1);
    partition.send(many("task", 3 * MAX));
    other.append(Task.of("live").application("live"));
    rig.tell(new Command.LookaheadFound(other.source, 0));
    rig.settle();
    assertThat(partition.consumed).as("what filled the reader's buffer").isEqualTo(3 * MAX);
  }

  @Test
  void h13FoundNeighbourIsForgottenWithItsPartition() {
    RigPartition other = rig.assigned("tasks", 1);
    other.append(Task.of("live").application("live"));
    rig.tell(new Command.LookaheadFound(other.source, 0));
    other.revoke(false);
    partition.send(many("task", 3 * MAX));
    rig.pass(3_600_000);
    assertThat(partition.consumed).isEqualTo(MAX);
  }

  @Test
  void h13NeighbourThatHasWaitedForLongIsNotForgotten() {
    var full = new EngineRig(RigOptions.pull().maxPending(MAX).maxStoreBytes(1_000));
    RigPartition from = full.assigned("tasks");
    from.send(many("task", MAX));
    full.tell(new Command.StoreSizeMeasured(1_000));
    from.append(Task.of("more-0"));
    from.append(Task.of("live").application("live"));
    from.append(Task.of("more-1"));
    from.poll(3);
    full.pass(3_600_000);
    assertThat(from.consumed).isEqualTo(MAX);
    assertThat(from.blockedApplication).as("no reason to look for others").isNull();

    full.tell(new Command.StoreSizeMeasured(999));
    full.settle();
    assertThat(full.claim("live", null).id()).isEqualTo("live");
    assertThat(from.consumed).isEqualTo(MAX + 2);
  }

  @Test
  void h13ParkedTasksAreBoundedIfConfigured() {
    var bounded = new EngineRig(RigOptions.pull().maxPending(MAX).maxParked(3).maxDelayed(1));
    RigPartition from = bounded.assigned("tasks");
    from.send(many("dead", 3 * MAX));
    from.send(Task.of("live").application("live"));
    bounded.pass(3_600_000);
    assertThat(bounded.store.rows()).hasSize(MAX + 3);
    assertThat(from.consumed).isEqualTo(MAX + 3);
    assertThat(from.blockedApplication).as("looking would not help").isNull();

    for (int i = 0; i < 3 * MAX; i++) {
      assertThat(bounded.claim("app", null).id()).isEqualTo("dead-" + i);
      bounded.report(Status.COMPLETE, "dead-" + i);
    }
    assertThat(bounded.claim("live", null).id()).isEqualTo("live");
  }

  @Test
  void h13DelayedTasksWaitInKafkaIfNothingMayBeParked() {
    var none = new EngineRig(RigOptions.pull().maxDelayed(2).maxParked(0));
    RigPartition from = none.assigned("tasks");
    from.send(
        Task.of("far").delayUntil(none.wall + 7 * 24 * 3_600_000L),
        Task.of("a").delayUntil(none.wall + 1_000),
        Task.of("b").delayUntil(none.wall + 1_000));
    assertThat(none.depths().delayed()).isEqualTo(2);
    assertThat(none.depths().parked()).isZero();
    assertThat(from.consumed).isEqualTo(2);
    none.pass(1_000);
    assertThat(none.claim().id()).isEqualTo("a");
    assertThat(from.consumed).isEqualTo(3);
  }

  @Test
  void h13OnlyAFullStoreStopsIngest() {
    var small = new EngineRig(RigOptions.pull().maxPending(MAX).maxStoreBytes(1_000));
    RigPartition from = small.assigned("tasks");
    small.tell(new Command.StoreSizeMeasured(1_000));
    from.send(Task.of("a"), Task.of("b").application("b"));
    small.pass(10_000);
    assertThat(from.consumed).isEqualTo(-1);
    assertThat(small.store.rows()).isEmpty();

    small.tell(new Command.StoreSizeMeasured(999));
    small.settle();
    assertThat(from.consumed).isEqualTo(2);
  }

  @Test
  void h13TasksWithWorkersAreBoundedToo() {
    var small = new EngineRig(RigOptions.pull().maxHandedOut(2));
    RigPartition from = small.assigned("tasks");
    from.send(many("task", 2));
    small.claim();
    small.claim();
    from.send(Task.of("more"), Task.of("other").application("other"));
    assertThat(from.consumed).isEqualTo(4);
    assertThat(small.claim("other", null).id()).isEqualTo("other");
    small.report(Status.COMPLETE, "task-0");
    assertThat(small.claim("app", null).id()).isEqualTo("more");
  }

  @Test
  void h13MemoryOfTasksIsBounded() {
    var small = new EngineRig(RigOptions.pull().maxMemoryBytes(100_000));
    RigPartition from = small.assigned("tasks");
    from.send(
        Task.of("a").size(60_000),
        Task.of("b").size(60_000),
        Task.of("c").size(60_000),
        Task.of("d").size(60_000).application("other"));
    small.pass(5_000);
    assertThat(small.depths().memoryBytes()).isLessThan(200_000);
    assertThat(small.depths().parked()).isEqualTo(2);
    assertThat(from.consumed).isEqualTo(4);
    for (String id : List.of("a", "b", "c", "d")) {
      assertThat(small.claim().id()).isEqualTo(id);
      small.report(Status.COMPLETE, id);
    }
    assertThat(small.depths().memoryBytes()).isZero();
  }

  /// Memory keeps the id of each parked row and the queue of its application.
  @Test
  void g7WhatMemoryKeepsOfParkedTasksIsBounded() {
    var small = new EngineRig(RigOptions.pull().maxPending(MAX).maxMemoryBytes(100_000));
    for (int i = 0; i < 2_000; i++) {
      enqueue(small, Task.of("same-" + i));
    }
    int ids = small.depths().parked();
    assertThat(ids)
        .isBetween(75_000 / FingerprintMap.ID_BYTES - 12, 75_000 / FingerprintMap.ID_BYTES);

    small.crash();
    assertThat(small.depths().parked()).isEqualTo(ids);

    var various = new EngineRig(RigOptions.pull().maxPending(0).maxMemoryBytes(100_000));
    for (int i = 0; i < 2_000; i++) {
      enqueue(various, Task.of("other-" + i).application("app-" + i));
    }
    assertThat(various.depths().parked())
        .isBetween(80, 75_000 / (FingerprintMap.ID_BYTES + ApplicationQueue.OVERHEAD_BYTES));
  }

  private static void enqueue(EngineRig rig, Task task) {
    rig.tell(
        new Command.Enqueue(
            List.of(task.at(Origin.enqueued(0), rig.wall)),
            new Command.EnqueueReply() {
              @Override
              public void done(List<EnqueueOutcome> outcomes) {}

              @Override
              public void unavailable(String why) {}
            }));
    rig.settle();
  }

  @Test
  void h13ParkedSurplusIsPending() {
    partition.send(many("dead", MAX + 1));
    partition.send(Task.of("live").application("live"));
    Row surplus = rig.store.row("dead-" + MAX).orElseThrow();
    assertThat(surplus.status()).isEqualTo(Status.PENDING);
    assertThat(surplus.parkedUntil()).isNotEqualTo(Row.NONE);
  }

  private static Task[] many(String name, int count) {
    return IntStream.range(0, count).mapToObj(i -> Task.of(name + "-" + i)).toArray(Task[]::new);
  }
}
