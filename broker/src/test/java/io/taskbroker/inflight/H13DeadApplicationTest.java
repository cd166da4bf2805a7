package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// H13: an application whose workers are dead fills its own limit; what is beyond that goes to
/// disk, and its neighbours go on.
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
    assertThat(rig.depths()).isEqualTo(new Engine.Depths(0, 0, 0, 0, 0, 0));
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
  void h13SingleApplicationThatWorksJustWaits() {
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
  void h13SingleApplicationThatStandsStillIsParkedToo() {
    partition.send(many("task", 3 * MAX));
    rig.pass(2_000);
    assertThat(rig.depths().pending()).isEqualTo(MAX);
    assertThat(rig.depths().parked()).isEqualTo(2 * MAX);
    assertThat(partition.consumed).isEqualTo(3 * MAX);
  }

  @Test
  void h13OnlyAFullStoreStopsIntake() {
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
  void h13WhatWorkersHaveIsBoundedToo() {
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

  @Test
  void h13SurplusOnDiskIsPending() {
    partition.send(many("dead", MAX + 1));
    rig.pass(2_000);
    Row surplus = rig.store.row("dead-" + MAX).orElseThrow();
    assertThat(surplus.status()).isEqualTo(Status.PENDING);
    assertThat(surplus.parkedUntil()).isNotEqualTo(Row.NONE);
  }

  private static Task[] many(String name, int count) {
    return IntStream.range(0, count).mapToObj(i -> Task.of(name + "-" + i)).toArray(Task[]::new);
  }
}
