package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;

/// H22: expiry is checked right before the delivery, wherever the task waited.
final class H22LastCheckTest {
  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h22TaskThatExpiresWhileItWaitsForItsStatusIsNotDelivered() {
    partition.send(Task.once("x").expiresAt(rig.wall + 1_000).deadLetters());
    partition.commitOffset();
    rig.step();
    rig.commit();
    rig.commits = false;
    rig.settle();
    rig.pass(1_000);
    rig.commits = true;
    rig.settle();
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void h22ClaimThatWaitedForTheStatusOfAnExpiredTaskIsAnswered() {
    var pulled = new EngineRig(RigOptions.pull());
    RigPartition from = pulled.assigned("tasks");
    from.send(Task.once("x").expiresAt(pulled.wall + 1_000));
    from.commitOffset();
    pulled.settle();
    pulled.commits = false;
    RigReply claim = pulled.claim();
    pulled.pass(1_000);
    assertThat(claim.isAnswered()).isFalse();
    pulled.commits = true;
    pulled.settle();
    assertThat(claim.answers).isEqualTo(1);
    assertThat(claim.id()).isEmpty();
    assertThat(pulled.store.rows()).isEmpty();
  }

  @Test
  void h22TaskThatExpiresWhileItWaitsForItsStatusReleasesItsCall() {
    for (int i = 0; i < 4; i++) {
      partition.send(Task.once("x" + i).expiresAt(rig.wall + 1_000));
    }
    partition.commitOffset();
    rig.step();
    rig.commit();
    rig.commits = false;
    rig.settle();
    rig.pass(1_000);
    rig.commits = true;
    rig.settle();
    partition.send(Task.of("y"));
    assertThat(rig.deliveredIds()).containsExactly("y");
  }

  @Test
  void h22TaskThatExpiresWhileItIsQueuedIsNotDelivered() {
    rig.worker = _ -> PushOutcome.UNREACHABLE;
    partition.send(Task.of("x"));
    partition.send(Task.of("y").expiresAt(rig.wall + 5_000));
    rig.pass(4_999);
    rig.onDelivery = () -> assertThat(rig.deliveries.getLast().id()).isEqualTo("x");
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.stepClock(1);
    rig.pass(5_000);
    assertThat(rig.expired()).containsExactly("y");
    assertThat(rig.store.row("y")).isEmpty();
  }

  @Test
  void h22TaskThatExpiresWhileItsOffsetIsNotCommittedIsNotDelivered() {
    partition.send(Task.once("x").expiresAt(rig.wall + 1_000));
    rig.pass(1_000);
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h22TaskThatExpiresWhileItIsParkedIsNotDelivered() {
    long due = rig.wall + 2 * RigOptions.PARK_HORIZON;
    partition.send(Task.of("x").delayUntil(due).expiresAt(due - 1_000));
    rig.pass(2 * RigOptions.PARK_HORIZON);
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h22TaskThatExpiresWhileItIsPostponedIsNotDelivered() {
    partition.send(Task.of("x").expiresAt(rig.wall + 100));
    rig.answer(PushOutcome.LOST);
    rig.pass(5_000);
    assertThat(rig.deliveries).hasSize(1);
    assertThat(rig.expired()).containsExactly("x");
  }
}
