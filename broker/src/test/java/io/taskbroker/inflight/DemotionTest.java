package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.Rules;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Tasks of demoted namespaces are forwarded, as retries are, once they are runnable (G4, H4, H7,
/// W2).
final class DemotionTest {
  private static final long FAR = 2 * RigOptions.PARK_HORIZON;
  private static final RigRules DEMOTING = RigRules.demoting("slow");

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void w2DemotedRecordIsStoredAndProducedUntilKafkaHasIt() {
    rig.rule(DEMOTING);
    rig.commits = false;
    partition.send(slow("x").size(100));
    assertThat(rig.outbox).isEmpty();
    assertThat(partition.consumed).isEqualTo(-1);
    rig.commits = true;
    rig.settle();
    assertThat(partition.consumed).isEqualTo(1);
    OutboxRecord record = rig.outbox.getFirst();
    assertThat(record.destination()).isEqualTo(RigRules.ELSEWHERE);
    assertThat(record.payload()).isEqualTo(partition.activations().getFirst().payload());
    assertThat(rig.noticed(EngineEvent.DEMOTED)).containsExactly("x");

    rig.crash(Rules.NONE);
    rig.pass(1_000_000);
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.outbox.getFirst().destination()).isEqualTo(RigRules.ELSEWHERE);
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void demotedRecordIsForwardedAlthoughItIsDelayed() {
    rig.rule(DEMOTING);
    partition.send(slow("x").delayUntil(rig.wall + FAR));
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void expiredRecordIsNotForwarded() {
    rig.rule(DEMOTING);
    partition.send(slow("x").expiresAt(rig.wall - 1));
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.expired()).containsExactly("x");
  }

  @Test
  void h04RecordThatComesBackWaitsForTheRowToEndAndRuns() {
    rig.rule(DEMOTING);
    partition.send(slow("x"));
    rig.rule(Rules.NONE);
    RigPartition back = rig.assigned("back");
    back.send(slow("x"));
    assertThat(back.consumed).isEqualTo(-1);
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(back.consumed).isEqualTo(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h08DemotedIdMayReturn() {
    rig.produces = true;
    rig.rule(DEMOTING);
    partition.send(slow(Task.once("x")), slow(Task.of("y").derived()));
    rig.rule(Rules.NONE);
    partition.send(slow(Task.once("x")), slow(Task.of("y").derived()));
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).isEmpty();
    assertThat(rig.store.rows()).hasSize(2);
  }

  @Test
  void h07RuleForwardsOnlyQueuedTasks() {
    partition.send(slow("running"), slow("queued"), Task.of("stays"));
    partition.send(slow("delayed").delayUntil(rig.wall + 5_000));
    assertThat(rig.claim().id()).isEqualTo("running");
    rig.rule(DEMOTING);
    assertThat(rig.outboxIds()).containsExactly("queued");
    assertThat(rig.claim().id()).isEqualTo("stays");

    rig.pass(5_000);
    assertThat(rig.outboxIds()).containsExactly("queued", "delayed");
    rig.report(Status.COMPLETE, "running");
    assertThat(rig.store.rows())
        .filteredOn(row -> row.forwardTo() == null)
        .extracting(row -> row.activation().id())
        .containsExactly("stays");
    assertThat(rig.noticed(EngineEvent.DEMOTED_IN_FLIGHT)).containsExactly("queued", "delayed");
  }

  @Test
  void h07RequeuedTaskIsForwarded() {
    var pushing = new EngineRig(RigOptions.push("app"));
    RigPartition from = pushing.assigned("tasks");
    from.send(slow("refused"), slow("lost"), slow("dead").deadline(1));
    Delivery dead = pushing.calls.get(2);
    pushing.answer(dead, PushOutcome.ACCEPTED);
    pushing.rule(DEMOTING);
    assertThat(pushing.outbox).isEmpty();
    pushing.answer(pushing.calls.getFirst(), PushOutcome.BUSY);
    assertThat(pushing.outboxIds()).containsExactly("refused");
    pushing.answer(pushing.calls.getFirst(), PushOutcome.LOST);
    pushing.pass(1_000 + RigOptions.GRACE + 2_000);
    assertThat(pushing.outboxIds()).containsExactly("refused", "lost", "dead");
    assertThat(pushing.deliveries).hasSize(3);
  }

  @Test
  void tasksNotForwardedRunWhenTheRuleEnds() {
    partition.send(slow("x").delayUntil(rig.wall + 5_000));
    rig.rule(DEMOTING);
    rig.rule(Rules.NONE);
    rig.pass(5_000);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h07EndOfARuleDoesNotRecallForwardedTasks() {
    partition.send(slow("x"));
    rig.commits = false;
    rig.rule(DEMOTING);
    rig.rule(Rules.NONE);
    rig.commits = true;
    rig.settle();
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void h07TaskIsForwardedOnceItsInsertIsDurable() {
    rig.commits = false;
    partition.send(slow("x"));
    rig.rule(DEMOTING);
    assertThat(rig.store.uncommitted()).hasSize(2);
    rig.commits = true;
    rig.settle();
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(rig.store.missed).isEmpty();
  }

  @Test
  void h02AtMostOnceTaskIsForwardedWhenItsOffsetIsCommitted() {
    partition.send(slow(Task.once("x")));
    rig.rule(DEMOTING);
    assertThat(rig.outbox).isEmpty();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(rig.deliveries).isEmpty();
  }

  @Test
  void h22TaskThatWaitsForItsStatusIsForwardedInsteadOfDelivered() {
    partition.send(slow(Task.once("x")));
    partition.commitOffset();
    rig.settle();
    rig.commits = false;
    RigReply claim = rig.claim();
    rig.rule(DEMOTING);
    rig.commits = true;
    rig.settle();
    assertThat(claim.answers).isEqualTo(1);
    assertThat(claim.id()).isEmpty();
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(rig.store.row("x").map(Row::status)).contains(Status.FAILURE);
  }

  @Test
  void h22RunnableParkedRowsAreForwarded() {
    var small = new EngineRig(RigOptions.pull().maxPending(2));
    RigPartition from = small.assigned("tasks");
    from.send(Task.of("neighbour").application("other"));
    for (int i = 0; i < 500; i++) {
      from.append(slow("x" + i));
    }
    from.append(slow("delayed").delayUntil(small.wall + FAR));
    from.send();
    assertThat(small.depths().parked()).isEqualTo(499);
    small.rule(DEMOTING);
    assertThat(small.outbox).hasSize(500);
    assertThat(small.depths().parked()).isEqualTo(1);
    small.produces = true;
    small.pass(FAR);
    assertThat(small.produced).hasSize(501);
    assertThat(small.store.rows()).hasSize(1);
  }

  @Test
  void h22RestartForwardsLoadedRowsBeforeTheFirstDelivery() {
    partition.send(slow("x"), slow("y"), Task.of("z"));
    rig.claim();
    rig.pass(2 * RigOptions.STATUS_WRITE_INTERVAL);
    rig.crash(DEMOTING);
    assertThat(rig.outboxIds()).containsExactly("y");
    assertThat(rig.claim().id()).isEqualTo("z");
    assertThat(rig.store.row("x").map(Row::status)).contains(Status.PROCESSING);
  }

  @Test
  void w49NothingIsForwardedToATopicThatThisBrokerConsumes() {
    rig.rule(new RigRules(Set.of(), Set.of(), Set.of("slow"), true));
    partition.send(slow("x"));
    assertThat(rig.noticed(EngineEvent.DEMOTION_SKIPPED)).containsExactly("x");
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(rig.outbox).isEmpty();
  }

  @Test
  void g7NumberOfForwardingTasksIsBounded() {
    rig.rule(DEMOTING);
    int more = Backpressure.MAX_FORWARDING + 10;
    for (int i = 0; i < more; i++) {
      partition.append(slow("x" + i));
    }
    partition.send();
    assertThat(rig.depths().forwarding()).isEqualTo(Backpressure.MAX_FORWARDING);
    rig.produces = true;
    rig.settle();
    rig.pass(1_000);
    assertThat(rig.produced).hasSize(more);
    assertThat(partition.consumed).isEqualTo(more);
  }

  private static Task slow(String id) {
    return slow(Task.of(id));
  }

  private static Task slow(Task task) {
    return task.namespace("slow");
  }
}
