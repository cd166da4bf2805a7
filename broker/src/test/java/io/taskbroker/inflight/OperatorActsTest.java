package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.OperatorRequest.Act;
import io.taskbroker.inflight.api.OperatorRequest.Act.Kind;
import io.taskbroker.inflight.api.OperatorRequest.Outcome;
import io.taskbroker.inflight.api.OperatorRequest.Target;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.TaskSnapshot;
import io.taskbroker.inflight.api.WaitingReason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Which act an operator may do in which state, and that what was answered lasts over a crash.
final class OperatorActsTest {
  private static final long DELAY = 5_000;

  private EngineRig rig = new EngineRig(RigOptions.pull());
  private RigPartition partition = rig.assigned("tasks");

  @Test
  void g5DelayedTaskRunsNowAndAfterACrash() {
    partition.send(Task.of("x").delayUntil(rig.wall + DELAY));
    assertThat(rig.claim().id()).isEmpty();

    assertDone(act(Kind.RUN_NOW, "x"), "DELAYED");

    rig.crash();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void g5ParkedTaskRunsNow() {
    partition.send(Task.of("x").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    assertThat(snapshot("x").state()).isEqualTo("PARKED");

    assertDone(act(Kind.RUN_NOW, "x"), "DELAYED");

    assertThat(rig.claim().id()).isEqualTo("x");
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void g5ChangedDelayHoldsAfterACrash() {
    partition.send(Task.of("x").delayUntil(rig.wall + DELAY));

    assertDone(act(Kind.DELAY, rig.wall + 2 * DELAY, false, "x"), "DELAYED");

    rig.crash();
    rig.pass(2 * DELAY - 1);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h02DelayedTaskAtMostOnceWaitsForItsOffsetAllTheSame() {
    partition.send(Task.once("x").delayUntil(rig.wall + DELAY));
    assertDone(act(Kind.RUN_NOW, "x"), "DELAYED");
    assertThat(rig.claim().id()).isEmpty();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void pendingTaskHasNoDelay() {
    partition.send(Task.of("x"));
    assertRefused(act(Kind.RUN_NOW, "x"), "PENDING: only a delayed task has a delay");
    assertRefused(act(Kind.DELAY, rig.wall + DELAY, false, "x"), "PENDING: only a delayed");
  }

  @Test
  void waitingTasksAreCancelled() {
    partition.send(
        Task.of("pending"),
        Task.of("delayed").delayUntil(rig.wall + DELAY),
        Task.of("parked").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));

    assertThat(act(Kind.CANCEL, "pending", "delayed", "parked")).allMatch(Outcome::done);

    assertThat(rig.store.rows()).isEmpty();
    rig.pass(3 * RigOptions.PARK_HORIZON);
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.noticed(EngineEvent.DISCARDED)).contains("pending", "delayed", "parked");
  }

  @Test
  void h08CancelledRetryDoesNotComeBack() {
    partition.send(Task.of("x").derived());
    assertThat(act(Kind.CANCEL, "x")).allMatch(Outcome::done);
    partition.send(Task.of("x").derived());
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void taskWithAWorkerIsDiscardedOnly() {
    partition.send(Task.of("x"));
    assertThat(rig.claim().id()).isEqualTo("x");

    assertRefused(act(Kind.CANCEL, "x"), "PROCESSING: a worker has it");
    assertDone(act(Kind.DISCARD, "x"), "PROCESSING");

    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
  }

  @Test
  void g6TaskIsTakenFromItsWorkerAndTheFirstReportCounts() {
    partition.send(Task.of("x"));
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);

    assertDone(act(Kind.RETRY, "x"), "PROCESSING");

    assertThat(rig.store.rows()).extracting(Row::status).containsExactly(Status.PENDING);
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(snapshot("x").attempts()).isZero();
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void g3TaskAtMostOnceIsNotDeliveredAgain() {
    partition.send(Task.once("x"));
    partition.commitOffset();
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("x");
    assertRefused(act(Kind.RETRY, "x"), "it may run at most once");
  }

  @Test
  void h19QuarantinedTaskIsProducedAgainOrDiscarded() {
    partition.send(Task.of("x").expiresAt(rig.wall - 1).deadLetters());
    refuse();
    assertRefused(act(Kind.CANCEL, "x"), "Kafka refused it");

    assertDone(act(Kind.RETRY, "x"), "QUARANTINED_FAILURE");
    assertThat(rig.outboxIds()).containsExactly("x");
    assertRefused(act(Kind.DISCARD, "x"), "PRODUCING_FAILURE: it is ending");

    refuse();
    assertDone(act(Kind.DISCARD, "x"), "QUARANTINED_FAILURE");
    assertThat(rig.store.rows()).isEmpty();
  }

  private void refuse() {
    rig.tell(new Command.ProduceRefused(rig.outbox.removeFirst(), "no such topic"));
    rig.settle();
  }

  @Test
  void h07TaskThatIsForwardedCannotBeChanged() {
    partition.send(Task.of("x").deadLetters());
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.report(Status.FAILURE, "x");
    for (Kind kind : Kind.values()) {
      assertThat(act(kind, "x")).noneMatch(Outcome::done);
    }
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void dryRunChangesNothing() {
    partition.send(
        Task.of("pending"),
        Task.of("delayed").delayUntil(rig.wall + DELAY),
        Task.of("parked").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    List<Row> before = rig.store.rows();
    for (Kind kind : Kind.values()) {
      assertThat(act(kind, rig.wall, true, "pending", "delayed", "parked")).hasSize(3);
    }
    assertThat(rig.store.rows()).isEqualTo(before);
    assertThat(rig.store.uncommitted()).isEmpty();
  }

  @Test
  void g2AnswerWaitsUntilTheActIsDurable() {
    partition.send(Task.of("x"));
    rig.commits = false;
    List<Outcome> answer = tell(Kind.CANCEL, 0, false, "x");
    assertThat(answer).isEmpty();
    rig.commitAndSettle();
    assertDone(answer, "PENDING");
  }

  @Test
  void anotherTaskOfTheSameIdIsNotMeant() {
    partition.send(Task.of("x"));
    var answer = new ArrayList<Outcome>();
    var targets = List.of(new Target("x", 99), new Target("unknown", 1));
    rig.tell(new Command.Operate(new Act(Kind.CANCEL, targets, false, 0, 0, answer::addAll)));
    rig.settle();
    assertThat(answer).hasSize(2).noneMatch(Outcome::done);
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void g7ParkedTasksAreReadAFewAtATime() {
    String[] ids = new String[50];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = "x" + i;
      partition.send(Task.of(ids[i]).delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    }
    assertThat(act(Kind.RUN_NOW, ids)).hasSize(50).allMatch(Outcome::done);
    assertThat(rig.stats().pending()).isEqualTo(50);
  }

  @Test
  void g7ParkedTasksAreReadWhileMemoryHasRoom() {
    rig = new EngineRig(RigOptions.pull().maxMemoryBytes(2_000));
    partition = rig.assigned("tasks");
    for (String id : List.of("a", "b")) {
      partition.send(Task.of(id).size(2_000).delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    }
    assertThat(act(Kind.RUN_NOW, "a", "b")).extracting(Outcome::done).containsExactly(true, false);
    assertThat(act(Kind.RUN_NOW, "b"))
        .singleElement()
        .satisfies(outcome -> assertThat(outcome.detail()).contains("no room in memory"));
    rig.claim();
    rig.report(Status.COMPLETE, "a");
    assertThat(act(Kind.RUN_NOW, "b")).allMatch(Outcome::done);
    assertThat(act(Kind.CANCEL, "b")).allMatch(Outcome::done);
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void pausedTasksWaitUntilTheyAreResumed() {
    partition.send(Task.of("a").taskname("bad"), Task.of("b").taskname("good"));
    pause(new Pauses.Pause(none(), none(), Optional.of("bad")));
    partition.send(Task.of("c").taskname("bad"));

    assertThat(rig.claim().id()).isEqualTo("b");
    assertThat(rig.claim().id()).isEmpty();
    assertThat(snapshot("a").why().kind()).isEqualTo(WaitingReason.Kind.PAUSED);
    assertThat(snapshot("a").why().detail()).isEqualTo("task bad");

    pause();
    assertThat(rig.claim().id()).isEqualTo("a");
    assertThat(rig.claim().id()).isEqualTo("c");
  }

  @Test
  void g5PausedTaskExpires() {
    pause(new Pauses.Pause(none(), Optional.of("n"), none()));
    partition.send(Task.of("x").namespace("n").expiresAt(rig.wall + DELAY));
    rig.pass(DELAY);
    assertThat(rig.store.rows()).isEmpty();
    pause();
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void g3PauseReachesATaskWhoseClaimIsBeingWritten() {
    rig = new EngineRig(RigOptions.push("app"));
    partition = rig.assigned("tasks");
    partition.send(Task.once("x"));
    partition.commitOffset();
    rig.step();
    rig.commits = false;
    rig.settle();
    pause(new Pauses.Pause(Optional.of("app"), none(), none()));
    rig.commits = true;
    rig.settle();
    assertThat(rig.deliveries).isEmpty();
    pause();
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void pausedTaskIsCancelled() {
    pause(new Pauses.Pause(Optional.of("app"), none(), none()));
    partition.send(Task.of("x"));
    assertDone(act(Kind.CANCEL, "x"), "PENDING");
    pause();
    assertThat(rig.claim().id()).isEmpty();
  }

  private static Optional<String> none() {
    return Optional.empty();
  }

  private void pause(Pauses.Pause... pauses) {
    rig.tell(
        new Command.Operate(
            new OperatorRequest.ChangePauses(new Pauses(Set.of(pauses)), () -> {})));
    rig.settle();
  }

  private TaskSnapshot snapshot(String id) {
    return snapshots(id).getFirst();
  }

  private List<TaskSnapshot> snapshots(String... ids) {
    var found = new ArrayList<TaskSnapshot>();
    rig.tell(new Command.Operate(new OperatorRequest.Inspect(List.of(ids), found::addAll)));
    rig.settle();
    return found;
  }

  private List<Outcome> act(Kind kind, String... ids) {
    return act(kind, rig.wall, false, ids);
  }

  private List<Outcome> act(Kind kind, long until, boolean dryRun, String... ids) {
    List<Outcome> answer = tell(kind, until, dryRun, ids);
    assertThat(answer).hasSize(ids.length);
    return answer;
  }

  private List<Outcome> tell(Kind kind, long until, boolean dryRun, String... ids) {
    List<Target> targets =
        snapshots(ids).stream().map(known -> new Target(known.id(), known.key())).toList();
    var answer = new ArrayList<Outcome>();
    rig.tell(new Command.Operate(new Act(kind, targets, dryRun, until, 0, answer::addAll)));
    rig.settle();
    return answer;
  }

  private static void assertDone(List<Outcome> outcomes, String before) {
    assertThat(outcomes)
        .singleElement()
        .satisfies(outcome -> assertThat(outcome.done()).as(outcome.detail()).isTrue())
        .satisfies(outcome -> assertThat(outcome.detail()).isEqualTo(before));
  }

  private static void assertRefused(List<Outcome> outcomes, String why) {
    assertThat(outcomes)
        .singleElement()
        .satisfies(outcome -> assertThat(outcome.done()).isFalse())
        .satisfies(outcome -> assertThat(outcome.detail()).contains(why));
  }
}
