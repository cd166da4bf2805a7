package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.Rules;
import org.junit.jupiter.api.Test;

/// H8: a second copy of a retry or of an at-most-once task is dropped while the tombstone of the
/// first lasts; a dead letter may return.
final class H08TombstoneTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h08SecondCopyOfAFinishedRetryIsDropped() {
    finish(Task.of("x").derived());
    partition.send(Task.of("x").derived());
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("x");
    assertThat(partition.consumed).isEqualTo(2);
  }

  @Test
  void h08TombstoneSurvivesARestart() {
    finish(Task.of("x").derived());
    rig.crash();
    partition.assign();
    partition.send(Task.of("x").derived());
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void h08TombstoneIsDurableWithTheDelete() {
    partition.send(Task.of("x").derived());
    rig.claim();
    rig.commits = false;
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.store.tombstones()).isEmpty();
    rig.commitAndSettle();
    assertThat(rig.store.tombstones()).hasSize(1);
  }

  @Test
  void h08TombstoneEnds() {
    finish(Task.of("x").derived());
    rig.pass(RigOptions.TOMBSTONE);
    partition.send(Task.of("x").derived());
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h08OrdinaryIdMayComeAgain() {
    finish(Task.of("x"));
    partition.send(Task.of("x"));
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h08AtMostOnceLeavesATombstone() {
    partition.send(Task.once("x"));
    rig.settle();
    partition.commitOffset();
    rig.claim();
    rig.report(Status.COMPLETE, "x");
    partition.send(Task.once("x"));
    rig.settle();
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("x");
  }

  @Test
  void h08RetriedRetryLeavesATombstone() {
    rig.produces = true;
    partition.send(Task.of("x").derived());
    rig.claim();
    rig.report(Status.RETRY, "x");
    assertThat(rig.store.rows()).isEmpty();
    partition.send(Task.of("x").derived());
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void h08DeadLetteredIdMayReturn() {
    rig.produces = true;
    partition.send(Task.of("x").derived().deadLetters());
    rig.claim();
    rig.report(Status.FAILURE, "x");
    assertThat(rig.produced).hasSize(1);
    partition.send(Task.of("x").derived().deadLetters());
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h08CompleteThatOvertakesADeadLetterLeavesATombstone() {
    partition.send(Task.of("x").derived().deadLetters());
    rig.claim();
    rig.commits = false;
    rig.report(Status.FAILURE, "x");
    rig.report(Status.COMPLETE, "x");
    rig.commits = true;
    rig.settle();
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
    partition.send(Task.of("x").derived());
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void h08RetryThatIsCompletedWhileItIsParkedLeavesATombstone() {
    partition.send(parked(Task.of("x").derived()));
    rig.report(Status.COMPLETE, "x");
    assertIsDropped(Task.of("x").derived());
  }

  @Test
  void h08AtMostOnceThatIsCompletedWhileItIsParkedLeavesATombstone() {
    partition.send(parked(Task.once("x")));
    rig.report(Status.COMPLETE, "x");
    assertIsDropped(Task.once("x"));
  }

  @Test
  void h08RetryFoundParkedAtStartupLeavesATombstone() {
    partition.send(parked(Task.of("x").derived()));
    rig.crash();
    partition.assign();
    rig.report(Status.COMPLETE, "x");
    assertIsDropped(Task.of("x").derived());
  }

  @Test
  void h08RetryKilledWhileItIsParkedLeavesATombstone() {
    partition.send(parked(Task.of("x").derived().taskname("broken")));
    rig.rule(RigRules.killing("broken"));
    rig.settle();
    rig.rule(Rules.NONE);
    assertIsDropped(Task.of("x").derived());
  }

  @Test
  void h08OrdinaryIdThatIsCompletedWhileItIsParkedMayComeAgain() {
    partition.send(parked(Task.of("x")));
    rig.report(Status.COMPLETE, "x");
    partition.send(Task.of("x"));
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  private Task parked(Task task) {
    return task.delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON);
  }

  private void assertIsDropped(Task copy) {
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths().parked()).isZero();
    partition.send(copy);
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("x");
    assertThat(rig.store.rows()).isEmpty();
  }

  private void finish(Task task) {
    partition.send(task);
    assertThat(rig.claim().id()).isEqualTo(task.id);
    assertThat(rig.report(Status.COMPLETE, task.id).isAnswered()).isTrue();
  }
}
