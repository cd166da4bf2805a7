package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// H14: when the store is slow the engine takes in no more; what is done is heard of all the same.
final class H14RoomTest {
  private static final int MAX = 10;

  private final EngineRig rig = new EngineRig(RigOptions.push("app").maxChanges(MAX));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h14ArrivalsWaitWhenTheStoreIsBehind() {
    rig.commits = false;
    partition.send(many(5 * MAX));
    rig.pass(10_000);
    // Reports have a quarter of the room to themselves; the watermark comes on top.
    assertThat(rig.store.uncommitted()).hasSize(MAX - MAX / 4 + 1);
    assertThat(rig.engine().hasRoom()).isTrue();

    rig.commit(3);
    assertThat(rig.store.uncommitted()).hasSizeLessThanOrEqualTo(MAX - MAX / 4 + 1);

    rig.commits = true;
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.pass(10_000);
    assertThat(partition.consumed).isEqualTo(5 * MAX);
  }

  @Test
  void h14CompletionsAreProcessedWithoutRoom() {
    partition.send(many(3));
    rig.commits = false;
    partition.send(
        IntStream.range(0, 2 * MAX).mapToObj(i -> Task.of("more-" + i)).toArray(Task[]::new));
    useTheRoomThatIsLeft();

    Delivery call = rig.calls.getFirst();
    rig.answer(call, PushOutcome.ACCEPTED);
    assertThat(rig.depths().handedOut()).isEqualTo(3);
    RigReply reply = rig.report(Status.COMPLETE, call.id());
    assertThat(rig.depths().handedOut()).isEqualTo(2);
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
  }

  @Test
  void h14NothingIsSentWithoutRoom() {
    partition.send(many(3));
    List.copyOf(rig.calls).forEach(call -> rig.answer(call, PushOutcome.ACCEPTED));
    partition.send(IntStream.range(0, 20).mapToObj(i -> Task.of("next-" + i)).toArray(Task[]::new));
    rig.commits = false;
    partition.send(
        IntStream.range(0, MAX).mapToObj(i -> Task.of("more-" + i)).toArray(Task[]::new));
    rig.pass(1_000); // what runs is marked
    assertThat(rig.engine().hasRoom()).isFalse();
    int sent = rig.handedOut.size();
    List.copyOf(rig.calls).forEach(call -> rig.answer(call, PushOutcome.ACCEPTED));
    assertThat(rig.handedOut).hasSize(sent);

    rig.commits = true;
    rig.settle();
    assertThat(rig.handedOut).hasSizeGreaterThan(sent);
  }

  @Test
  void h14DelaysAndDeadlinesComeToPassWithoutRoomAndWithoutSpinning() {
    var parked = new EngineRig(RigOptions.pull().maxChanges(3).maxDelayed(0));
    RigPartition from = parked.assigned("tasks");
    from.send(Task.of("x").delayUntil(parked.wall + 5_000));
    parked.commits = false;
    from.send(Task.of("a"), Task.of("b"), Task.of("c"), Task.of("d"));
    assertThat(parked.engine().hasRoom()).isFalse();
    parked.pass(60_000);
    parked.commits = true;
    parked.settle();
    assertThat(parked.store.row("x")).isPresent();
    assertThat(IntStream.range(0, 5).mapToObj(_ -> parked.claim().id()).sorted().toList())
        .containsExactly("a", "b", "c", "d", "x");
  }

  @Test
  void h14ReportsAreFollowedThoughEveryArrivalWaitsForSpace() {
    partition.send(many(3));
    rig.commits = false;
    partition.send(
        IntStream.range(0, 5 * MAX).mapToObj(i -> Task.of("more-" + i)).toArray(Task[]::new));
    assertThat(rig.engine().hasRoom()).isTrue();
  }

  @Test
  void h14WhatWaitsForSpaceKeepsNoReportOut() {
    partition.send(many(3));
    Delivery call = rig.calls.getFirst();
    rig.answer(call, PushOutcome.ACCEPTED);
    rig.commits = false;
    partition.send(
        IntStream.range(0, 5 * MAX).mapToObj(i -> Task.of("more-" + i)).toArray(Task[]::new));
    IntStream.range(0, 5 * MAX)
        .forEach(_ -> rig.tell(new Command.OffsetCommitted(partition.source, 0)));
    rig.settle();
    assertThat(rig.engine().hasRoom()).isTrue();
    RigReply reply = rig.report(Status.COMPLETE, call.id());
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
  }

  /// By marks of what workers have. Leaves the first call without an answer.
  private void useTheRoomThatIsLeft() {
    List.copyOf(rig.calls).stream().skip(1).forEach(call -> rig.answer(call, PushOutcome.ACCEPTED));
    rig.pass(1_000);
    assertThat(rig.engine().hasRoom()).isFalse();
  }

  private static Task[] many(int count) {
    return IntStream.range(0, count).mapToObj(i -> Task.of("task-" + i)).toArray(Task[]::new);
  }
}
