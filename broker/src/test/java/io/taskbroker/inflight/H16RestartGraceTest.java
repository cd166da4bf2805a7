package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import org.junit.jupiter.api.Test;

/// H16: after a start no deadline that passed meanwhile counts before reports had time to arrive.
/// Each row gets this grace once, so that restarts do not postpone its deadline forever.
final class H16RestartGraceTest {
  private static final long DEADLINE = 10_000 + RigOptions.GRACE;

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h16DeadlineThatPassedMeanwhileIsExtendedForReports() {
    run(Task.of("x"));
    downFor(300_000);
    long start = rig.wall;
    Row row = rig.store.row("x").orElseThrow();
    assertThat(row.deadlineExtended()).isTrue();
    assertThat(row.processingDeadline()).isEqualTo(start + RigOptions.RESTART_GRACE);

    rig.pass(RigOptions.RESTART_GRACE - 1);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    rig.pass(RigOptions.RESTART_GRACE);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).isEmpty();
  }

  @Test
  void h16TaskThatMayHaveBeenRunningWaitsForItsReport() {
    var settling = new EngineRig(RigOptions.pull().settle(1_000));
    settling.assigned("tasks").send(Task.of("reported"), Task.of("silent"));
    settling.settle();
    assertThat(settling.claim().id()).isEqualTo("reported");
    settling.crash();

    assertThat(settling.claim().delivery).isNull();
    assertThat(settling.report(Status.COMPLETE, "reported").isAnswered()).isTrue();
    settling.pass(1_000);
    assertThat(settling.claim().id()).isEqualTo("silent");
    assertThat(settling.claim().delivery).isNull();
  }

  @Test
  void h16FinishedAtMostOnceTaskDoesNotFail() {
    run(Task.once("x").deadLetters());
    downFor(300_000);
    rig.pass(RigOptions.RESTART_GRACE - 1);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h16RestartsDoNotPostponeADeadlineForever() {
    run(Task.of("x"));
    downFor(300_000);
    long passed = 0;
    long step = RigOptions.RESTART_GRACE - 10_000;
    while (rig.noticed(EngineEvent.DEADLINE_PASSED).isEmpty()) {
      rig.pass(step);
      passed += step;
      rig.crash();
      assertThat(passed).isLessThan(3 * RigOptions.RESTART_GRACE);
    }
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(rig.store.row("x").orElseThrow().attempts()).isEqualTo(1);
  }

  @Test
  void h16NextDeliveryHasAGraceOfItsOwn() {
    run(Task.of("x"));
    downFor(300_000);
    rig.pass(RigOptions.RESTART_GRACE);
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    assertThat(rig.store.row("x").orElseThrow().deadlineExtended()).isFalse();
    downFor(300_000);
    rig.pass(RigOptions.RESTART_GRACE - 1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).hasSize(1);
  }

  @Test
  void h16DistantDeadlineStays() {
    run(Task.of("x").deadline(1_000));
    long deadline = rig.store.row("x").orElseThrow().processingDeadline();
    rig.crash();
    assertThat(rig.store.row("x").orElseThrow().processingDeadline()).isEqualTo(deadline);
    rig.pass(deadline - rig.wall - 1);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h16ShortTaskThatWasRunningGetsTheGraceToo() {
    run(Task.of("x"));
    rig.crash();
    rig.pass(DEADLINE);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(RigOptions.RESTART_GRACE - DEADLINE);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  private void run(Task task) {
    partition.send(task);
    partition.commitOffset();
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo(task.id);
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    assertThat(rig.store.row(task.id).orElseThrow().status()).isEqualTo(Status.PROCESSING);
  }

  private void downFor(long millis) {
    rig.wall += millis;
    rig.crash();
  }
}
