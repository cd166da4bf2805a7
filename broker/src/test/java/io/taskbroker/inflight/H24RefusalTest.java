package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;

/// H24: a task that a worker refuses for its content backs off by itself; if it is refused
/// repeatedly while its neighbours are accepted, it meets its failure policy.
final class H24RefusalTest {
  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h24TaskRefusedWhileNeighboursPassMeetsThePolicy() {
    refuseX();
    partition.send(Task.of("x").deadLetters());
    for (int i = 0; i < 20; i++) {
      partition.send(Task.of("n" + i).deadline(1_000));
      rig.pass(2_000);
    }
    assertThat(rig.deliveredIds()).filteredOn("x"::equals).hasSizeBetween(10, 20);
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(rig.noticed(EngineEvent.PUSH_REFUSED))
        .hasSizeGreaterThanOrEqualTo(10)
        .containsOnly("x");
  }

  @Test
  void h24TaskRefusedWhileNoOtherPassesIsRetriedWithBackoff() {
    rig.worker = _ -> PushOutcome.REFUSED;
    partition.send(Task.of("x").deadLetters());
    rig.pass(100_000);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.deliveries).hasSizeBetween(50, 150);
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.pass(2_000);
    assertThat(rig.depths().handedOut()).isEqualTo(1);
  }

  @Test
  void h24RefusalDoesNotSlowTheNeighbours() {
    refuseX();
    partition.send(Task.of("x"));
    partition.send(Task.of("a"), Task.of("b"), Task.of("c"));
    assertThat(rig.deliveredIds()).containsExactly("x", "a", "b", "c");
  }

  @Test
  void h24ConnectionFailureDoesNotCountAgainstATask() {
    rig.worker = _ -> PushOutcome.UNREACHABLE;
    partition.send(Task.of("x").deadLetters());
    rig.pass(60_000);
    assertThat(rig.deliveries).hasSizeGreaterThan(20);
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.pass(1_000);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.depths().handedOut()).isEqualTo(1);
  }

  private void refuseX() {
    rig.worker = delivery -> delivery.id().equals("x") ? PushOutcome.REFUSED : PushOutcome.ACCEPTED;
  }
}
