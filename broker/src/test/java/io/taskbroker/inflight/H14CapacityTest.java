package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// H14: while the store is slow the engine accepts no records, but still handles reports.
final class H14CapacityTest {
  private static final int MAX = 10;

  private final EngineRig rig = new EngineRig(RigOptions.push("app").maxChanges(MAX));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h14ArrivalsWaitWhenTheStoreIsBehind() {
    rig.commits = false;
    partition.send(many(5 * MAX));
    rig.pass(10_000);
    // A quarter of the room is reserved for reports; the watermark comes on top.
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
  void h14NothingIsDeliveredWithoutRoom() {
    partition.send(many(3));
    List.copyOf(rig.calls).forEach(call -> rig.answer(call, PushOutcome.ACCEPTED));
    partition.send(IntStream.range(0, 20).mapToObj(i -> Task.of("next-" + i)).toArray(Task[]::new));
    rig.commits = false;
    partition.send(
        IntStream.range(0, MAX).mapToObj(i -> Task.of("more-" + i)).toArray(Task[]::new));
    rig.pass(1_000); // writes the status of running tasks
    assertThat(rig.engine().hasRoom()).isFalse();
    int sent = rig.deliveries.size();
    List.copyOf(rig.calls).forEach(call -> rig.answer(call, PushOutcome.ACCEPTED));
    assertThat(rig.deliveries).hasSize(sent);

    rig.commits = true;
    rig.settle();
    assertThat(rig.deliveries).hasSizeGreaterThan(sent);
  }

  @Test
  void h14DelaysAndDeadlinesEndWithoutRoomAndWithoutSpinning() {
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
  void h14ReportsTakeEffectWhileEveryArrivalWaitsForSpace() {
    partition.send(many(3));
    rig.commits = false;
    partition.send(
        IntStream.range(0, 5 * MAX).mapToObj(i -> Task.of("more-" + i)).toArray(Task[]::new));
    assertThat(rig.engine().hasRoom()).isTrue();
  }

  @Test
  void h14ChangesThatWaitForSpaceBlockNoReport() {
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

  /// By status updates of tasks that workers have. Leaves the first call unanswered.
  private void useTheRoomThatIsLeft() {
    List.copyOf(rig.calls).stream().skip(1).forEach(call -> rig.answer(call, PushOutcome.ACCEPTED));
    rig.pass(1_000);
    assertThat(rig.engine().hasRoom()).isFalse();
  }

  private static Task[] many(int count) {
    return IntStream.range(0, count).mapToObj(i -> Task.of("task-" + i)).toArray(Task[]::new);
  }
}
