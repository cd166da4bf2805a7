package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.Rules;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// H22: a killed task is not delivered, wherever it is when the rule arrives; a demoted one is
/// forwarded as retries are (H7).
final class H22RulesTest {
  private static final long FAR = 2 * RigOptions.PARK_HORIZON;
  private static final RigRules KILLING = RigRules.killing("bad");

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void w28KilledRecordsAreConsumedAndStoreNothing() {
    rig.rule(new RigRules(Set.of("bad"), Set.of("y"), Set.of(), false));
    partition.send(bad("x"), Task.of("y"), Task.of("z"), bad("x2"));
    assertThat(partition.consumed).isEqualTo(4);
    assertThat(rig.store.rows()).extracting(row -> row.activation().id()).containsExactly("z");
    assertThat(rig.noticed(EngineEvent.KILLED_BY_NAME)).containsExactly("x", "x2");
    assertThat(rig.noticed(EngineEvent.KILLED_BY_SELECTOR)).containsExactly("y");
    assertThat(partition.settledBytes).isEqualTo(partition.sentBytes);
  }

  @Test
  void w28KilledAndExpiredRecordsPassWhenTheStoreIsFull() {
    var full = new EngineRig(RigOptions.pull().maxStoreBytes(1));
    RigPartition from = full.assigned("tasks");
    full.rule(KILLING);
    full.tell(new Command.StoreSizeMeasured(1));
    from.send(bad("x"), Task.of("y").expiresAt(full.wall));
    assertThat(from.consumed).isEqualTo(2);
  }

  @Test
  void w28KilledAndExpiredRecordsDoNotWaitForAForwardedRow() {
    partition.send(Task.of("x").deadLetters(), Task.of("y").deadLetters());
    rig.claim();
    rig.claim();
    rig.report(Status.FAILURE, "x", "y");
    assertThat(rig.outboxIds()).containsExactly("x", "y");
    rig.rule(KILLING);
    RigPartition replays = rig.assigned("replays");
    replays.send(bad("x"), Task.of("y").expiresAt(rig.wall - 1), bad("z"));
    assertThat(replays.consumed).isEqualTo(3);
    assertThat(rig.outboxIds()).containsExactly("x", "y");
  }

  @Test
  void h22RuleRemovesQueuedDelayedAndRunningTasks() {
    partition.send(bad("running"), bad("queued"), bad("delayed").delayUntil(rig.wall + 1_000));
    partition.send(Task.of("stays"));
    assertThat(rig.claim().id()).isEqualTo("running");
    rig.rule(KILLING);
    assertThat(rig.store.rows()).extracting(row -> row.activation().id()).containsExactly("stays");
    assertThat(rig.noticed(EngineEvent.SWITCHED_OFF))
        .containsExactlyInAnyOrder("running", "queued", "delayed");
    assertThat(rig.report(Status.COMPLETE, "running").isAnswered()).isTrue();
    assertThat(rig.claim().id()).isEqualTo("stays");
    rig.pass(100_000);
    assertThat(rig.claim().id()).isEqualTo("stays");
  }

  @Test
  void h22RuleRemovesTasksThatAreNotDurableYet() {
    rig.commits = false;
    partition.send(bad("x"));
    rig.rule(KILLING);
    rig.commits = true;
    rig.settle();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.store.missed).isEmpty();
    assertThat(partition.consumed).isEqualTo(1);
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void h22RuleRemovesTasksThatWaitForTheirStatus() {
    partition.send(bad(Task.once("x")));
    partition.commitOffset();
    rig.settle();
    rig.commits = false;
    RigReply claim = rig.claim();
    assertThat(claim.isAnswered()).isFalse();
    rig.rule(KILLING);
    rig.commits = true;
    rig.settle();
    assertThat(claim.answers).isEqualTo(1);
    assertThat(claim.id()).isEmpty();
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h22PendingPushOfAKilledTaskFreesItsCall() {
    var pushing = new EngineRig(RigOptions.push("app"));
    RigPartition from = pushing.assigned("tasks");
    from.send(bad("x"));
    pushing.rule(KILLING);
    pushing.answer(PushOutcome.ACCEPTED);
    assertThat(pushing.store.rows()).isEmpty();
    assertThat(pushing.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
    from.send(Task.of("y"));
    assertThat(pushing.deliveredIds()).containsExactly("x", "y");
  }

  @Test
  void h22RuleCoversParkedRowsInSeveralPages() {
    for (int i = 0; i < 600; i++) {
      partition.append((i % 3 == 0 ? Task.of("s" + i) : bad("x" + i)).delayUntil(rig.wall + FAR));
    }
    partition.append(bad("other").application("other").delayUntil(rig.wall + FAR));
    partition.send();
    assertThat(rig.depths().parked()).isEqualTo(601);
    rig.rule(KILLING);
    assertThat(rig.depths().parked()).isEqualTo(200);
    assertThat(rig.store.rows()).hasSize(200).noneMatch(H22RulesTest::isBad);
    rig.pass(FAR + 1);
    assertThat(rig.claim().id()).isEqualTo("s0");
  }

  @Test
  void h22RuleThatArrivesDuringASweepIsSweptToo() {
    for (int i = 0; i < 600; i++) {
      partition.append(
          Task.of("x" + i).taskname(i < 300 ? "one" : "two").delayUntil(rig.wall + FAR));
    }
    partition.send();
    rig.commits = false;
    rig.rule(RigRules.killing("one"));
    rig.rule(RigRules.killing("two"));
    rig.commits = true;
    rig.settle();
    assertThat(rig.store.rows()).hasSize(300).allMatch(row -> task(row).equals("one"));
  }

  @Test
  void h22RuleThatEndsSparesRowsThatAreNotSweptYet() {
    for (int i = 0; i < 600; i++) {
      partition.append(bad("x" + i).delayUntil(rig.wall + FAR));
    }
    partition.send();
    rig.commits = false;
    rig.rule(KILLING);
    rig.rule(Rules.NONE);
    rig.commits = true;
    rig.settle();
    assertThat(rig.store.rows()).hasSize(600);
  }

  @Test
  void h22ReportThatOvertakesTheSweepTakesEffect() {
    partition.send(bad("x").delayUntil(rig.wall + FAR));
    rig.commits = false;
    rig.rule(KILLING);
    RigReply reply = rig.report(Status.COMPLETE, "x");
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.store.missed).isEmpty();
  }

  @Test
  void h22RestartJudgesBeforeTheFirstDelivery() {
    partition.send(bad("running"), bad("queued"), bad("delayed").delayUntil(rig.wall + 1_000));
    partition.send(bad("parked").delayUntil(rig.wall + FAR), Task.of("stays"));
    rig.claim();
    rig.pass(2 * RigOptions.STATUS_WRITE_INTERVAL);
    rig.crash(KILLING);
    assertThat(rig.store.rows()).noneMatch(H22RulesTest::isBad).hasSize(1);
    assertThat(rig.claim().id()).isEqualTo("stays");
  }

  @Test
  void h22RestartJudgesRowsParkedUnderOtherRules() {
    for (int i = 0; i < 300; i++) {
      partition.append(bad("x" + i).delayUntil(rig.wall + FAR));
    }
    partition.send();
    rig.crash(KILLING);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths().parked()).isZero();
  }

  @Test
  void h07ForwardedTaskIsNotJudged() {
    partition.send(bad("x").deadLetters());
    rig.claim();
    rig.commits = false;
    rig.report(Status.FAILURE, "x");
    rig.rule(KILLING);
    rig.commits = true;
    rig.settle();
    assertThat(rig.outboxIds()).containsExactly("x");
    rig.crash(KILLING);
    assertThat(rig.outboxIds()).containsExactly("x");
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h22KilledAtMostOnceTaskLeavesATombstone() {
    partition.send(bad(Task.once("x")));
    partition.commitOffset();
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.rule(KILLING);
    rig.rule(Rules.NONE);
    partition.send(bad(Task.once("x")));
    partition.commitOffset();
    rig.settle();
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("x");
  }

  private static Task bad(String id) {
    return bad(Task.of(id));
  }

  private static Task bad(Task task) {
    return task.taskname("bad");
  }

  private static boolean isBad(Row row) {
    return task(row).equals("bad");
  }

  private static String task(Row row) {
    return row.activation().taskname();
  }
}
