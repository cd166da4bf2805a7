package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OutboxRecord;
import org.junit.jupiter.api.Test;

/// H12: an activation that the store cannot hold is kept as an undecodable message.
final class H12RejectedInsertTest {
  private static final long FAR = 2 * RigOptions.PARK_HORIZON;

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");
  private final String message = Ids.undecodable(new Origin("tasks", 0, 0), rig.wall);

  @Test
  void h12RefusedInsertIsForwardedAsAMessage() {
    refuse("bad");
    partition.send(Task.of("bad").size(10), Task.of("good"));
    assertLeftAsMessage();
    assertThat(rig.claim().id()).isEqualTo("good");
    assertThat(partition.consumed).isEqualTo(2);
  }

  @Test
  void h12RefusedInsertOfADelayedTaskIsForwardedAsAMessage() {
    refuse("bad");
    partition.send(Task.of("bad").delayUntil(rig.wall + 1_000));
    assertLeftAsMessage();
  }

  @Test
  void h12RefusedInsertOfAParkedTaskIsForwardedAsAMessage() {
    refuse("bad");
    partition.send(Task.of("bad").delayUntil(rig.wall + FAR));
    assertLeftAsMessage();
    rig.pass(FAR);
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void h12RefusedInsertOfAParkedAtMostOnceTaskIsForwardedAsAMessage() {
    refuse("bad");
    partition.send(Task.once("bad").delayUntil(rig.wall + FAR));
    partition.commitOffset();
    rig.settle();
    assertLeftAsMessage();
    assertThat(rig.store.missed).isEmpty();
  }

  @Test
  void h12RefusedInsertOfACompletedTaskIsDone() {
    refuse("bad");
    rig.commits = false;
    partition.send(Task.of("bad"));
    RigReply reply = rig.report(Status.COMPLETE, "bad");
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.outbox).isEmpty();
    assertEmpty();
  }

  @Test
  void h12RefusedInsertOfACompletedParkedTaskIsDone() {
    refuse("bad");
    rig.commits = false;
    partition.send(Task.of("bad").delayUntil(rig.wall + FAR));
    RigReply reply = rig.report(Status.COMPLETE, "bad");
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.outbox).isEmpty();
    assertEmpty();
  }

  @Test
  void h12MessageThatCannotBeStoredEitherEndsTheEngine() {
    rig.store.refuses = _ -> true;
    assertThatThrownBy(() -> partition.send(Task.of("bad")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("offset=0");
  }

  private void refuse(String id) {
    rig.store.refuses = activation -> activation.id().equals(id);
  }

  private void assertLeftAsMessage() {
    assertThat(rig.outboxIds()).containsExactly(message);
    OutboxRecord record = rig.outbox.getFirst();
    assertThat(record.destination().topic()).isEqualTo(RigOptions.DEAD_LETTER_TOPIC);
    assertThat(record.destination().headers())
        .containsEntry("taskbroker-topic", "tasks")
        .containsEntry("taskbroker-partition", "0")
        .containsEntry("taskbroker-offset", "0")
        .containsKey("taskbroker-reason");
    Activation kept = rig.store.row(message).orElseThrow().activation();
    assertThat(record.payload()).isEqualTo(kept.payload()).isNotEmpty();
    assertThat(rig.noticed(EngineEvent.UNDECODABLE)).containsExactly(message);
    rig.acknowledge(record);
    rig.settle();
    assertThat(rig.store.row(message)).isEmpty();
  }

  private void assertEmpty() {
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }
}
