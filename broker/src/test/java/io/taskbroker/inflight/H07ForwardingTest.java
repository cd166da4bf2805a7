package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.proto.v1.TaskActivation;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/// H7: a forward is produced only after it is durable; from then on the task can only be produced.
final class H07ForwardingTest {
  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h07RetryIsProducedWhenTheDecisionIsDurable() throws InvalidProtocolBufferException {
    running("x");
    rig.commits = false;
    rig.report(Status.RETRY, "x");
    assertThat(rig.outbox).isEmpty();

    rig.commitAndSettle();
    OutboxRecord record = rig.outbox.getFirst();
    assertThat(record.destination().topic()).isEqualTo(RigOptions.RETRY_TOPIC);
    assertThat(TaskActivation.parseFrom(record.payload()).getId()).isEqualTo(Ids.retry("x", 1));
  }

  @Test
  void h07CrashBeforeTheDecisionIsDurableProducesNothing() {
    running("x");
    rig.commits = false;
    RigReply reply = rig.report(Status.RETRY, "x");
    rig.crash();
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isFalse();
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.deliveredIds()).containsExactly("x", "x");
  }

  @Test
  void h07CrashAfterTheDecisionProducesTheSameAndRunsNothing() {
    running("x");
    rig.report(Status.RETRY, "x");
    OutboxRecord before = rig.outbox.getFirst();

    rig.crash();
    OutboxRecord after = rig.outbox.getFirst();
    assertThat(after.payload()).isEqualTo(before.payload());
    assertThat(after.partitionKey()).isEqualTo(before.partitionKey());
    assertThat(after.destination()).isEqualTo(before.destination());
    rig.pass(1_000_000);
    assertThat(rig.deliveredIds()).containsExactly("x");

    rig.acknowledge(after);
    rig.settle();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h07ProducedTaskNeverRunsAgain() {
    running("x");
    rig.report(Status.RETRY, "x");
    for (Status status : new Status[] {Status.COMPLETE, Status.FAILURE, Status.RETRY}) {
      assertThat(rig.report(status, "x").isAnswered()).isTrue();
    }
    rig.stepClock(3_600_000);
    rig.stepClock(-7_200_000);
    rig.pass(1_000_000);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.RETRY);
    assertThat(rig.outbox).hasSize(1);
  }

  @Test
  void h07RowIsDeletedOnlyAfterKafkaAcknowledged() {
    running("x");
    rig.report(Status.RETRY, "x");
    rig.pass(1_000_000);
    assertThat(rig.store.rows()).hasSize(1);
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h07DeadLetterCarriesTheOriginalBytes() {
    partition.send(Task.of("x").deadLetters().size(100));
    rig.settle();
    rig.answer(PushOutcome.ACCEPTED);
    rig.report(Status.FAILURE, "x");
    OutboxRecord record = rig.outbox.getFirst();
    assertThat(record.destination().topic()).isEqualTo(RigOptions.DEAD_LETTER_TOPIC);
    assertThat(record.destination().headers())
        .containsEntry("taskbroker-reason", "its worker reported a failure")
        .containsEntry("taskbroker-first-id", "x")
        .containsEntry("taskbroker-failed-at", Instant.ofEpochMilli(rig.wall).toString());
    assertThat(record.payload()).isEqualTo(rig.deliveries.getFirst().payload());
  }

  private void running(String id) {
    partition.send(Task.of(id));
    rig.settle();
    rig.answer(PushOutcome.ACCEPTED);
  }
}
