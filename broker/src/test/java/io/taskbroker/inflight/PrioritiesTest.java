package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.NextAttempt;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Priority;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.OperatorRequest.Act;
import io.taskbroker.inflight.api.OperatorRequest.Act.Kind;
import io.taskbroker.inflight.api.OperatorRequest.Outcome;
import io.taskbroker.inflight.api.OperatorRequest.Target;
import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Order of the tasks of an application: by priority, over restarts, parking, retries and changes
/// by operators (docs/adr/0044).
final class PrioritiesTest {
  private static final int LIMIT = 16;

  private EngineRig rig = new EngineRig(RigOptions.pull());
  private RigPartition partition = rig.assigned("tasks");

  @Test
  void highestRunsFirstAndEqualOnesInOrder() {
    partition.send(
        Task.of("normal-1"),
        Task.of("last").priority(-4),
        Task.of("first-1").priority(4),
        Task.of("normal-2"),
        Task.of("first-2").priority(4),
        Task.of("high").priority(1));

    assertThat(claims(6))
        .containsExactly("first-1", "first-2", "high", "normal-1", "normal-2", "last");
  }

  @Test
  void orderHoldsAfterACrash() {
    partition.send(Task.of("normal"), Task.of("last").priority(-1), Task.of("first").priority(1));

    rig.crash();

    assertThat(claims(3)).containsExactly("first", "normal", "last");
  }

  @Test
  void pushFollowsThePriority() {
    rig = new EngineRig(RigOptions.push("app"));
    partition = rig.assigned("tasks");
    rig.commits = false;
    partition.send(Task.of("normal"), Task.of("last").priority(-1), Task.of("first").priority(1));
    rig.commitAndSettle();

    assertThat(rig.deliveredIds()).startsWith("first");
  }

  @Test
  void priorityCountsWithinAnApplicationOnly() {
    partition.send(
        Task.of("a").application("a"),
        Task.of("b").application("b").priority(4),
        Task.of("a-first").application("a").priority(4));

    // By age of their oldest task, a goes first.
    assertThat(claims(3)).containsExactly("a-first", "a", "b");
  }

  @Test
  void namespaceOfAClaimHasItsOwnOrder() {
    partition.send(
        Task.of("other").namespace("other").priority(4),
        Task.of("normal").namespace("mine"),
        Task.of("first").namespace("mine").priority(2));

    assertThat(rig.claim("app", "mine").id()).isEqualTo("first");
    assertThat(rig.claim("app", "mine").id()).isEqualTo("normal");
  }

  /// The oldest task waits at most so many deliveries.
  @Test
  void g8LowPriorityIsNotStarved() {
    partition.send(Task.of("last").priority(-4));
    int served = 0;
    for (int i = 0; !rig.deliveredIds().contains("last"); i++) {
      partition.send(Task.of("first-" + i).priority(4), Task.of("more-" + i).priority(4));
      assertThat(rig.claim().id()).isNotEmpty();
      assertThat(++served).isLessThanOrEqualTo(PriorityPicker.OLDEST_EVERY);
    }
    assertThat(served).isEqualTo(PriorityPicker.OLDEST_EVERY);
  }

  @Test
  void h13ParkedTaskOfHighPriorityWaitsForOneDelivery() {
    small();
    enqueueMany("normal-", LIMIT + 4, 0);
    enqueueMany("first-", 3, 3);
    assertThat(parked()).isEqualTo(7);

    assertThat(claims(4)).containsExactly("normal-0", "first-0", "first-1", "first-2");
  }

  /// An arrival need not wait behind parked tasks that it goes before.
  @Test
  void h13ArrivalPassesParkedTasksOfLowerPriority() {
    small();
    enqueueMany("normal-", LIMIT + 4, 0);
    rig.commits = false; // so that what is parked is not read yet
    claims(5);

    tellEnqueue("first", 3, new ArrayList<>());
    tellEnqueue("normal", 0, new ArrayList<>());
    rig.commits = true;
    rig.settle();

    assertThat(stored("first").parkedUntil()).isEqualTo(Row.NONE);
    assertThat(rig.claim().id()).isEqualTo("first");
  }

  /// Parked rows are read by priority, as they are delivered; after a crash, too.
  @Test
  void h15HighestParkedTaskIsReadFirst() {
    small();
    enqueueMany("normal-", LIMIT, 0);
    enqueueMany("parked-", 40, 0);
    enqueueMany("first-", 3, 4);
    assertThat(parked()).isEqualTo(43);
    rig.crash();

    List<String> order = completeAll();

    assertThat(order).hasSize(LIMIT + 43).doesNotHaveDuplicates();
    // The first ones are read as soon as there is room for one.
    assertThat(order.subList(0, 5)).contains("first-0", "first-1", "first-2");
  }

  /// Higher arrivals never stop: parked tasks of low priority run nevertheless.
  @Test
  void g8ParkedTaskOfLowPriorityIsNotStarved() {
    small();
    enqueueMany("normal-", LIMIT, 0);
    enqueueMany("low-", 3, -1);
    assertThat(parked()).isEqualTo(3);
    int rounds = 0;
    while (!rig.deliveredIds().contains("low-0")) {
      enqueueMany("first-" + rounds + "-", 2, 4);
      String id = rig.claim().id();
      rig.report(Status.COMPLETE, id);
      assertThat(++rounds).isLessThan(40 * PriorityPicker.OLDEST_EVERY);
    }
  }

  @Test
  void retryThroughKafkaKeepsWhatAnOperatorSet() throws Exception {
    partition.send(Task.of("x").priority(2));
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(act(-1, false, "x")).allMatch(Outcome::done);

    rig.report(Status.RETRY, "x");

    TaskActivation retry = TaskActivation.parseFrom(rig.outbox.getFirst().payload());
    assertThat(retry.getHeadersMap()).containsEntry(Priority.HEADER, "-1");
  }

  @Test
  void nextAttemptKeepsIt() {
    Activation failed = Task.of("x").priority(2).at(Origin.enqueued(0), rig.wall);
    assertThat(new NextAttempt(1, 5).of(failed, rig.wall).priority()).isEqualTo((byte) 2);
  }

  @Test
  void operatorChangesWhatWaits() {
    partition.send(
        Task.of("one"), Task.of("two"), Task.of("three"), Task.of("four").delayUntil(rig.wall + 9));

    assertThat(act(3, false, "two", "four")).allMatch(Outcome::done);

    assertThat(rig.claim().id()).isEqualTo("two");
    rig.report(Status.COMPLETE, "two");
    rig.crash();
    rig.pass(9);
    assertThat(claims(3)).containsExactly("four", "one", "three");
  }

  @Test
  void dryRunChangesNothing() {
    partition.send(Task.of("one"), Task.of("two"));
    assertThat(act(3, true, "two")).allMatch(Outcome::done);
    assertThat(rig.claim().id()).isEqualTo("one");
  }

  @Test
  void operatorChangesWhatAWorkerHas() {
    partition.send(Task.of("x"), Task.of("y"));
    assertThat(rig.claim().id()).isEqualTo("x");

    assertThat(act(-1, false, "x")).allMatch(Outcome::done);

    rig.pass(20_000); // its deadline passes
    assertThat(claims(2)).containsExactly("y", "x");
  }

  /// A parked task stays parked, and is read by its new priority.
  @Test
  void operatorChangesWhatIsParked() {
    small();
    enqueueMany("normal-", LIMIT, 0);
    enqueueMany("parked-", 20, 0);

    assertThat(act(4, false, "parked-17", "parked-19")).allMatch(Outcome::done);

    assertThat(parked()).isEqualTo(20);
    assertThat(stored("parked-17").parkedUntil()).isNotEqualTo(Row.NONE);
    assertThat(stored("parked-17").activation().priority()).isEqualTo((byte) 4);
    rig.crash();
    assertThat(completeAll().subList(0, 4)).contains("parked-17", "parked-19");
  }

  @Test
  void positionCountsThoseOfHigherPriority() {
    partition.send(
        Task.of("normal"),
        Task.of("last").priority(-1),
        Task.of("first").priority(1),
        Task.of("n"));
    assertThat(rig.engine().waitingReason("last"))
        .isEqualTo(WaitingReason.of(WaitingReason.Kind.QUEUED, "3"));
  }

  private void small() {
    rig = new EngineRig(RigOptions.pull().maxPending(LIMIT));
    partition = rig.assigned("tasks");
  }

  private int parked() {
    return (int) rig.store.rows().stream().filter(row -> row.parkedUntil() != Row.NONE).count();
  }

  private Row stored(String id) {
    return rig.store.rows().stream()
        .filter(row -> row.activation().id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private List<String> claims(int number) {
    return IntStream.range(0, number).mapToObj(_ -> rig.claim().id()).toList();
  }

  private List<String> completeAll() {
    List<String> order = new ArrayList<>();
    for (String id = rig.claim().id(); !id.isEmpty(); id = rig.claim().id()) {
      order.add(id);
      rig.report(Status.COMPLETE, id);
    }
    return order;
  }

  private void enqueueMany(String prefix, int number, int priority) {
    for (int i = 0; i < number; i++) {
      enqueue(prefix + i, priority);
    }
  }

  private void enqueue(String id, int priority) {
    var outcomes = new ArrayList<EnqueueOutcome>();
    tellEnqueue(id, priority, outcomes);
    assertThat(outcomes).containsExactly(EnqueueOutcome.ACCEPTED);
  }

  private void tellEnqueue(String id, int priority, List<EnqueueOutcome> outcomes) {
    Activation task = Task.of(id).priority(priority).at(Origin.enqueued(0), rig.wall);
    rig.tell(new Command.Enqueue(List.of(task), new Reply(outcomes)));
    rig.settle();
  }

  private record Reply(List<EnqueueOutcome> outcomes) implements Command.EnqueueReply {
    @Override
    public void done(List<EnqueueOutcome> answer) {
      outcomes.addAll(answer);
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }
  }

  private List<Outcome> act(int priority, boolean dryRun, String... ids) {
    List<Target> targets =
        List.of(ids).stream().map(id -> new Target(id, stored(id).key())).toList();
    var answer = new ArrayList<Outcome>();
    rig.tell(
        new Command.Operate(new Act(Kind.PRIORITY, targets, dryRun, 0, priority, answer::addAll)));
    rig.settle();
    assertThat(answer).hasSize(ids.length);
    return answer;
  }
}
