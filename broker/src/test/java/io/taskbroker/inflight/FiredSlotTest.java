package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.inflight.api.TaskQuery;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Tasks of schedules' slots: stored together with the step of their schedule, or not at all
/// (docs/adr/0040).
final class FiredSlotTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull().maxPending(1).maxParked(2));

  @Test
  void theTaskOfASlotIsStoredWithTheStepAndRuns() {
    Reply reply = fire("a");
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
    assertThat(rig.store.history).hasSize(1).allMatch(Change.Fire.class::isInstance);
    assertThat(rig.claim().id()).isEqualTo("a");
    rig.report(Status.COMPLETE, "a");
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void aTaskWhoseSlotAnotherBrokerFiredLeavesNothing() {
    rig.store.supersedes = _ -> true;
    Reply reply = fire("a");
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.SUPERSEDED);
    assertThat(rig.claim().id()).isEmpty();
    assertNothingIsLeft();
    rig.store.supersedes = _ -> false;
    assertThat(fire("a").outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
  }

  @Test
  void aParkedTaskWhoseSlotAnotherBrokerFiredLeavesNothing() {
    fire("first");
    rig.store.supersedes = _ -> true;
    Reply reply = fire("parked");
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.SUPERSEDED);
    rig.store.supersedes = _ -> false;
    assertThat(rig.claim().id()).isEqualTo("first");
    rig.report(Status.COMPLETE, "first");
    assertThat(rig.claim().id()).isEmpty();
    assertNothingIsLeft();
    assertThat(fire("parked").outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
  }

  /// Else the id of a task that never existed is remembered, and its slot counts as fired.
  @Test
  void g1ASlotIsFiredThoughItsTaskWasSwitchedOffBeforeItWasKnownToBeSecond() {
    rig.commits = false;
    rig.store.supersedes = _ -> true;
    Reply reply = fire("a");
    rig.rule(RigRules.killing("task"));
    rig.commits = true;
    rig.rule(Rules.NONE);
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.SUPERSEDED);
    assertNothingIsLeft();
    rig.store.supersedes = _ -> false;
    assertThat(fire("a").outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
  }

  @Test
  void g1ASlotIsFiredThoughItsParkedTaskEndedBeforeItWasKnownToBeSecond() {
    fire("first");
    rig.commits = false;
    rig.store.supersedes = _ -> true;
    Reply reply = fire("parked");
    RigReply report = rig.report(Status.COMPLETE, "parked");
    rig.commits = true;
    rig.settle();
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.SUPERSEDED);
    assertThat(report.isAnswered()).isTrue();
    rig.store.supersedes = _ -> false;
    assertThat(fire("parked").outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
  }

  @Test
  void aTaskThatEndedBeforeItsSlotWasFiredIsDeletedAndRemembered() {
    rig.commits = false;
    Reply reply = fire("a");
    rig.rule(RigRules.killing("task"));
    rig.commits = true;
    rig.rule(Rules.NONE);
    assertThat(reply.outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
    assertNothingIsLeft();
    assertThat(fire("a").outcomes).containsExactly(EnqueueOutcome.ALREADY_EXISTS);
  }

  /// The task of a slot that another broker fired has run before this one knows that it was not
  /// first.
  @Test
  void g2AReportAboutTheTaskOfTheBrokerThatWasFirstReachesIt() {
    var peers = new EnginesOnSharedStore(RigOptions.push("app"));
    EngineOnSharedStore first = peers.peer("first");
    EngineOnSharedStore second = peers.peer("second");
    assertReportReaches(peers, first, second);
  }

  @Test
  void g2AReportReachesItAlsoIfTheTaskWasParkedHere() {
    var peers = new EnginesOnSharedStore(RigOptions.push("app").maxPending(1).maxParked(2));
    EngineOnSharedStore first = peers.peer("first");
    EngineOnSharedStore second = peers.peer("second");
    EnginesOnSharedStore.Log log = peers.log("tasks", 0);
    second.take(log);
    second.send(log, Task.of("other"));
    assertReportReaches(peers, first, second);
  }

  /// Else the client believes that the task is cancelled, which runs at the other broker.
  @Test
  void aCancellationWaitsUntilItIsKnownWhetherTheTaskIsHere() {
    var peers = new EnginesOnSharedStore(RigOptions.push("app"));
    EngineOnSharedStore first = peers.peer("first");
    EngineOnSharedStore second = peers.peer("second");
    first.store().schedules().create(new ScheduleRow("s", 1, 4, new byte[0]));
    second.commits = false;
    fire(peers, second, "x");
    fire(peers, first, "x");
    var answers = new Answers();
    second.tell(new Command.Ask(new TaskQuery.Cancel("x", answers)));
    second.tell(new Command.Ask(new TaskQuery.Await("x", answers)));
    second.settle();
    assertThat(answers.views).isEmpty();
    second.commits = true;
    peers.settle();
    assertThat(answers.views).as("not found").hasSize(2).containsOnlyNulls();
    assertThat(peers.row("x")).isPresent();
  }

  private static final class Answers implements TaskQuery.Reply {
    private final List<TaskQuery.@Nullable View> views = new ArrayList<>();

    @Override
    public void done(TaskQuery.@Nullable View view) {
      views.add(view);
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }
  }

  private static void assertReportReaches(
      EnginesOnSharedStore peers, EngineOnSharedStore first, EngineOnSharedStore second) {
    first.store().schedules().create(new ScheduleRow("s", 1, 4, new byte[0]));
    second.commits = false;
    Reply late = fire(peers, second, "x");
    fire(peers, first, "x");
    first.answer(PushOutcome.ACCEPTED);
    second.report(Status.COMPLETE, "x");
    second.commits = true;
    peers.settle();
    assertThat(late.outcomes).containsExactly(EnqueueOutcome.SUPERSEDED);
    assertThat(peers.row("x")).isEmpty();
  }

  private static Reply fire(EnginesOnSharedStore peers, EngineOnSharedStore peer, String id) {
    var reply = new Reply();
    peer.tell(enqueue(id, peers.wall, reply));
    peer.settle();
    return reply;
  }

  @Test
  void g7ASlotWithoutRoomIsRefusedAndItsStepNotMade() {
    fire("a");
    fire("b");
    fire("c");
    int before = rig.store.history.size();
    assertThat(fire("d").outcomes).containsExactly(EnqueueOutcome.FULL);
    assertThat(rig.store.history).hasSize(before);
  }

  private void assertNothingIsLeft() {
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.engine().outstanding()).isZero();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  private Reply fire(String id) {
    var reply = new Reply();
    rig.tell(enqueue(id, rig.wall, reply));
    rig.settle();
    return reply;
  }

  private static Command.Enqueue enqueue(String id, long wall, Reply reply) {
    Activation task = Task.of(id).at(new Origin("", -1, 1_000), wall);
    var step = new ScheduleStep(1, new ScheduleRow("s", 2, 5, new byte[0]));
    return new Command.Enqueue(List.of(task), List.of(step), reply);
  }

  private static final class Reply implements Command.EnqueueReply {
    List<EnqueueOutcome> outcomes = List.of();

    @Override
    public void done(List<EnqueueOutcome> all) {
      outcomes = all;
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }
  }
}
