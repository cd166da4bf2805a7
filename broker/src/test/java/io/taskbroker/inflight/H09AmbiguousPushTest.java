package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// H9: only proof that no worker has an at-most-once task requeues it; in all other cases its lease
/// passes and it meets its failure policy.
final class H09AmbiguousPushTest {
  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @ParameterizedTest
  @EnumSource(names = {"BUSY", "UNREACHABLE"})
  void h09ProofOfNonAcceptanceRequeuesIt(PushOutcome outcome) {
    pushed(Task.once("x"));
    rig.answer(outcome);
    rig.pass(2_000);
    assertThat(rig.deliveredIds()).containsExactly("x", "x");
    rig.answer(PushOutcome.ACCEPTED);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h09FreshStatusIsKept() {
    pushed(Task.once("x"));
    long changes = rig.store.history.size();
    rig.answer(PushOutcome.BUSY);
    rig.pass(2_000);
    assertThat(rig.deliveredIds()).containsExactly("x", "x");
    assertThat(rig.store.history).hasSize((int) changes);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.CLAIMED);
  }

  @Test
  void h09StaleStatusIsRenewedBeforeADelivery() {
    rig.worker = _ -> PushOutcome.UNREACHABLE;
    pushed(Task.once("x"));
    rig.pass(RigOptions.LEASE - 1_500);
    rig.worker = _ -> null;
    rig.pass(1_000);
    rig.answer(PushOutcome.BUSY);
    // The channel pauses for half a second at least: the status is stale when it resumes.
    int sent = rig.deliveries.size();
    rig.commits = false;
    rig.pass(2_000);
    assertThat(rig.store.uncommitted()).singleElement().isInstanceOf(Change.UpdateStatus.class);
    assertThat(rig.deliveries).hasSize(sent);
    rig.commitAndSettle();
    assertThat(rig.deliveries).hasSize(sent + 1);
  }

  @Test
  void h09RevertedStatusIsNotMistakenForTheNextOne() {
    partition.send(Task.once("x"));
    rig.settle();
    partition.commitOffset();
    rig.step();
    rig.commit();
    rig.commits = false;
    rig.settle();
    assertThat(rig.store.uncommitted()).singleElement().isInstanceOf(Change.UpdateStatus.class);
    rig.pass(RigOptions.LEASE);
    rig.commitAndSettle();
    assertThat(rig.store.uncommitted()).hasSize(2);

    rig.commit(1);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
    assertThat(rig.deliveries).isEmpty();
    rig.commit(1);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.CLAIMED);
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"LOST", "REFUSED"})
  void h09UncertainPushWaitsForTheLeaseAndMeetsThePolicy(PushOutcome outcome) {
    pushed(Task.once("x").deadLetters());
    rig.answer(outcome);
    rig.pass(RigOptions.LEASE - 1);
    assertThat(rig.outbox).isEmpty();
    rig.pass(1);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void h09LateReportAfterAnUncertainPushTakesEffect() {
    pushed(Task.once("x").deadLetters());
    rig.answer(PushOutcome.LOST);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    rig.pass(2 * RigOptions.LEASE);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h09DeadlineOfAnAtMostOnceTaskMeetsThePolicy() {
    pushed(Task.once("x").deadline(10));
    rig.answer(PushOutcome.ACCEPTED);
    rig.pass(10_000 + RigOptions.GRACE);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("x");
  }

  @Test
  void h09CrashAfterTheClaimWasWrittenCountsAsDelivered() {
    partition.send(Task.once("x"));
    rig.settle();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactly("x");
    rig.crash();
    rig.pass(1_000_000);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("x");
  }

  @Test
  void h09InheritedClaimCountsAsDelivered() {
    Activation once = Task.once("once").at(new Origin("tasks", 0, 7), rig.wall);
    Activation other = Task.of("other").at(new Origin("tasks", 0, 8), rig.wall);
    rig.store.put(claimed(11, once));
    rig.store.put(claimed(12, other));
    rig.crash();
    rig.pass(1_000_000);
    assertThat(rig.deliveredIds()).contains("other").doesNotContain("once");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).contains("once");
  }

  @Test
  void h09OtherTasksAreRedeliveredAfterALostCall() {
    partition.send(Task.of("x"));
    rig.settle();
    rig.answer(PushOutcome.LOST);
    rig.pass(3_000);
    assertThat(rig.deliveredIds()).containsExactly("x", "x");
    assertThat(rig.deliveries.get(1).deliveries()).isEqualTo(2);
  }

  @Test
  void h09AnswerOfAnEarlierDeliveryIsNotMistakenForTheLast() {
    partition.send(Task.of("x"));
    rig.settle();
    Delivery first = rig.calls.getFirst();
    rig.pass(RigOptions.LEASE);
    assertThat(rig.deliveredIds()).containsExactly("x", "x");
    rig.answer(first, PushOutcome.BUSY);
    rig.pass(2_000);
    assertThat(rig.deliveredIds()).containsExactly("x", "x");
  }

  private Row claimed(long key, Activation activation) {
    return new Row(
        key,
        activation,
        Status.CLAIMED,
        rig.wall,
        0,
        rig.wall + 5_000,
        Row.NONE,
        false,
        false,
        Row.NONE,
        null);
  }

  private void pushed(Task task) {
    partition.send(task);
    rig.settle();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveredIds()).contains(task.id);
  }
}
