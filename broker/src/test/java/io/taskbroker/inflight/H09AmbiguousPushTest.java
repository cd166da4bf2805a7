package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// H9: of what may run only once, only proof that no worker has it makes it ready again; all else
/// waits for the end of its lease and meets its failure policy.
final class H09AmbiguousPushTest {
  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @ParameterizedTest
  @EnumSource(names = {"BUSY", "UNREACHABLE"})
  void h09ProofOfNonAcceptanceGivesItBack(PushOutcome outcome) {
    pushed(Task.once("x"));
    rig.answer(outcome);
    rig.pass(2_000);
    assertThat(rig.handedOutIds()).containsExactly("x", "x");
    rig.answer(PushOutcome.ACCEPTED);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h09MarkThatIsFreshIsKept() {
    pushed(Task.once("x"));
    long changes = rig.store.history.size();
    rig.answer(PushOutcome.BUSY);
    rig.pass(2_000);
    assertThat(rig.handedOutIds()).containsExactly("x", "x");
    assertThat(rig.store.history).hasSize((int) changes);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.CLAIMED);
  }

  @Test
  void h09StaleMarkIsRenewedBeforeASend() {
    rig.worker = _ -> PushOutcome.UNREACHABLE;
    pushed(Task.once("x"));
    rig.pass(RigOptions.LEASE - 1_500);
    rig.worker = _ -> null;
    rig.pass(1_000);
    rig.answer(PushOutcome.BUSY);
    // The lane pauses for half a second at least: the mark is stale when it goes on.
    int sent = rig.handedOut.size();
    rig.commits = false;
    rig.pass(2_000);
    assertThat(rig.store.uncommitted()).singleElement().isInstanceOf(Change.UpdateStatus.class);
    assertThat(rig.handedOut).hasSize(sent);
    rig.commitAndSettle();
    assertThat(rig.handedOut).hasSize(sent + 1);
  }

  @Test
  void h09MarkThatIsTakenBackIsNotTakenForTheNextOne() {
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
    assertThat(rig.handedOut).isEmpty();
    rig.commit(1);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.CLAIMED);
    assertThat(rig.handedOutIds()).containsExactly("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"LOST", "REFUSED"})
  void h09UncertainPushWaitsForTheLeaseAndMeetsThePolicy(PushOutcome outcome) {
    pushed(Task.once("x").deadLetters());
    rig.answer(outcome);
    rig.pass(RigOptions.LEASE - 1);
    assertThat(rig.departing).isEmpty();
    rig.pass(1);
    assertThat(rig.handedOutIds()).containsExactly("x");
    assertThat(rig.departingIds()).containsExactly("x");
  }

  @Test
  void h09LateReportAfterAnUncertainPushIsFollowed() {
    pushed(Task.once("x").deadLetters());
    rig.answer(PushOutcome.LOST);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    rig.pass(2 * RigOptions.LEASE);
    assertThat(rig.departing).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h09DeadlineOfAnAtMostOnceTaskMeetsThePolicy() {
    pushed(Task.once("x").deadline(10));
    rig.answer(PushOutcome.ACCEPTED);
    rig.pass(10_000 + RigOptions.GRACE);
    assertThat(rig.handedOutIds()).containsExactly("x");
    assertThat(rig.noticed(Notice.DISCARDED)).containsExactly("x");
  }

  @Test
  void h09CrashAfterTheMarkCountsAsHandedOut() {
    partition.send(Task.once("x"));
    rig.settle();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.handedOutIds()).containsExactly("x");
    rig.crash();
    rig.pass(1_000_000);
    assertThat(rig.handedOutIds()).containsExactly("x");
    assertThat(rig.noticed(Notice.DISCARDED)).containsExactly("x");
  }

  @Test
  void h09InheritedClaimCountsAsHandedOut() {
    Activation once = Task.once("once").at(new Origin("tasks", 0, 7), rig.wall);
    Activation other = Task.of("other").at(new Origin("tasks", 0, 8), rig.wall);
    rig.store.put(claimed(11, once));
    rig.store.put(claimed(12, other));
    rig.crash();
    rig.pass(1_000_000);
    assertThat(rig.handedOutIds()).contains("other").doesNotContain("once");
    assertThat(rig.noticed(Notice.DISCARDED)).contains("once");
  }

  @Test
  void h09OthersAreSentAgainAfterALostCall() {
    partition.send(Task.of("x"));
    rig.settle();
    rig.answer(PushOutcome.LOST);
    rig.pass(3_000);
    assertThat(rig.handedOutIds()).containsExactly("x", "x");
    assertThat(rig.handedOut.get(1).deliveries()).isEqualTo(2);
  }

  @Test
  void h09AnswerOfAnEarlierDeliveryIsNotTakenForTheLast() {
    partition.send(Task.of("x"));
    rig.settle();
    Delivery first = rig.calls.getFirst();
    rig.pass(RigOptions.LEASE);
    assertThat(rig.handedOutIds()).containsExactly("x", "x");
    rig.answer(first, PushOutcome.BUSY);
    rig.pass(2_000);
    assertThat(rig.handedOutIds()).containsExactly("x", "x");
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
    assertThat(rig.handedOutIds()).contains(task.id);
  }
}
