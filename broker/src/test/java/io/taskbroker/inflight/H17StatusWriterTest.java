package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;

/// H17: the status of running tasks is written within the interval, and completely before the
/// broker stops, so that a restart does not deliver them again.
final class H17StatusWriterTest {
  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h17StatusOfAnAcceptedTaskIsWrittenWithinTheIntervalEvenWhenIdle() {
    partition.send(Task.of("x"));
    rig.answer(PushOutcome.ACCEPTED);
    long deadline = rig.wall + 10_000 + RigOptions.GRACE;
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    Row row = rig.store.row("x").orElseThrow();
    assertThat(row.status()).isEqualTo(Status.PROCESSING);
    assertThat(row.processingDeadline()).isEqualTo(deadline);
  }

  @Test
  void h17TaskThatIsDoneByThenCostsNoStatusUpdate() {
    partition.send(Task.of("x"));
    rig.answer(PushOutcome.ACCEPTED);
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL - 1);
    rig.report(Status.COMPLETE, "x");
    rig.pass(10_000);
    assertThat(rig.store.history).noneMatch(Change.UpdateStatus.class::isInstance);
  }

  @Test
  void h17FinishedTaskIsNotKeptForAStatusUpdate() {
    partition.send(Task.of("done"));
    rig.answer(PushOutcome.ACCEPTED);
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL / 2);
    rig.report(Status.COMPLETE, "done");
    partition.send(Task.of("running"));
    rig.answer(PushOutcome.ACCEPTED);
    assertThat(rig.engine().nextWake()).isEqualTo(rig.now + RigOptions.STATUS_WRITE_INTERVAL);
  }

  @Test
  void h17SecondDeliveryDoesNotPostponeTheStatusUpdatesOfOthers() {
    var pulled = new EngineRig(RigOptions.pull().grace(200));
    RigPartition from = pulled.assigned("tasks");
    from.send(Task.of("first").deadline(0));
    assertThat(pulled.claim().id()).isEqualTo("first");
    pulled.pass(100);
    from.send(Task.of("second").deadline(100));
    assertThat(pulled.claim().id()).isEqualTo("second");
    pulled.pass(100);
    assertThat(pulled.claim().id()).isEqualTo("first");
    pulled.pass(RigOptions.STATUS_WRITE_INTERVAL - 100);
    assertThat(pulled.store.row("second").orElseThrow().status()).isEqualTo(Status.PROCESSING);
  }

  @Test
  void h17DrainWritesTheStatusOfRunningTasksAndDeliversNothing() {
    partition.send(Task.of("running"), Task.of("called"));
    rig.answer(rig.calls.getFirst(), PushOutcome.ACCEPTED);
    rig.tell(new Command.Drain());
    partition.send(Task.of("late"));
    assertThat(rig.store.row("running").orElseThrow().status()).isEqualTo(Status.PROCESSING);
    assertThat(rig.deliveredIds()).containsExactly("running", "called");

    rig.answer(PushOutcome.ACCEPTED);
    assertThat(rig.store.row("called").orElseThrow().status()).isEqualTo(Status.PROCESSING);

    rig.crash();
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactly("running", "called", "late");
  }

  @Test
  void h17DrainRevertsTheStatusOfATaskWithoutAWorker() {
    partition.send(Task.once("x"));
    partition.commitOffset();
    rig.settle();
    rig.answer(PushOutcome.BUSY);
    rig.tell(new Command.Drain());
    rig.settle();
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
    rig.crash();
    assertThat(rig.deliveredIds()).containsExactly("x", "x");
  }

  @Test
  void h17DrainRevertsAPendingStatusUpdate() {
    partition.send(Task.once("x"));
    partition.commitOffset();
    rig.step();
    rig.commit();
    rig.commits = false;
    rig.settle();
    assertThat(rig.store.uncommitted()).hasSize(1);
    rig.tell(new Command.Drain());
    rig.commits = true;
    rig.settle();
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
  }

  @Test
  void h17DrainedBrokerDeliversNothingToPollingWorkers() {
    var pulled = new EngineRig(RigOptions.pull());
    pulled.assigned("tasks").send(Task.of("x"));
    pulled.tell(new Command.Drain());
    assertThat(pulled.claim().id()).isEmpty();
    assertThat(pulled.claim("app", "ns").id()).isEmpty();
  }

  @Test
  void h17RevokedPartitionIsDrainedWhenItsRowsAreDurable() {
    rig.commits = false;
    partition.send(Task.of("x"));
    partition.revoke(false);
    rig.settle();
    assertThat(partition.drained).isFalse();
    rig.commit(1);
    assertThat(partition.drained).isFalse();
    rig.commit(1);
    assertThat(partition.drained).isTrue();
    assertThat(partition.consumed).isEqualTo(1);
  }

  @Test
  void h17IdlePartitionIsDrainedAtOnce() {
    partition.revoke(false);
    rig.settle();
    assertThat(partition.drained).isTrue();
  }

  @Test
  void h17RecordsOfARevokedPartitionAreNotAccepted() {
    partition.revoke(false);
    partition.send(Task.of("x"));
    assertThat(rig.store.rows()).isEmpty();
    partition.assign();
    partition.poll(10);
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactly("x");
  }
}
