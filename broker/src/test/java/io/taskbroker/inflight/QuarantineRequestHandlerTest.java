package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.QuarantineAnswer;
import io.taskbroker.inflight.api.QuarantineRequest;
import io.taskbroker.inflight.api.QuarantineRequest.Action;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Operators' requests on quarantined tasks (H19).
final class QuarantineRequestHandlerTest {
  private static final String RENAMED = "renamed";

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void quarantinedTasksAreListed() {
    refused("a", 200);
    rig.pass(1_000);
    refused("b", 100);
    QuarantineAnswer answer = order(Action.LIST);
    assertThat(answer.held()).isEqualTo(2);
    assertThat(answer.tasks()).extracting(QuarantineAnswer.Task::id).containsExactly("a", "b");
    QuarantineAnswer.Task first = answer.tasks().getFirst();
    assertThat(first.topic()).isEqualTo(RigOptions.DEAD_LETTER_TOPIC);
    assertThat(first.status()).isEqualTo("Failure");
    assertThat(first.reason()).isEqualTo("too large");
    assertThat(first.size()).isGreaterThanOrEqualTo(200);
    assertThat(first.since()).isEqualTo(rig.wall - 1_000);
    assertThat(rig.stats().quarantinedTopics()).containsEntry(RigOptions.DEAD_LETTER_TOPIC, 2);
    assertThat(tell(new QuarantineRequest(Action.LIST, List.of(), "other", "", 10)).tasks())
        .isEmpty();
    assertThat(tell(new QuarantineRequest(Action.LIST, List.of(), "", "", 1)).tasks()).hasSize(1);
  }

  @Test
  void sinceSurvivesFurtherRefusals() {
    refused("a", 100);
    long since = rig.wall;
    rig.pass(Quarantine.PERIOD_MS);
    refuse("not now");
    QuarantineAnswer.Task task = order(Action.LIST).tasks().getFirst();
    assertThat(task.since()).isEqualTo(since);
    assertThat(task.reason()).isEqualTo("not now");
  }

  @Test
  void releasedTasksAreTriedAtOnceAndTogether() {
    refused("a", 300);
    refused("b", 200);
    refused("c", 100);
    assertThat(order(Action.RELEASE).done()).isEqualTo(3);
    assertThat(rig.outboxIds()).containsExactly("a", "b", "c");
    assertThat(rig.stats().quarantined()).isZero();
    refuse("again");
    assertThat(rig.stats().quarantined()).isOne();
    rig.acknowledge(rig.outbox.getFirst());
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(rig.noticed(EngineEvent.QUARANTINED)).containsExactly("a", "b", "c");

    // The schedule goes on.
    rig.pass(Quarantine.PERIOD_MS);
    assertThat(rig.outboxIds()).containsExactly("a");
  }

  @Test
  void oneTaskIsReleasedByItsId() {
    refused("a", 300);
    refused("b", 200);
    QuarantineAnswer answer =
        tell(new QuarantineRequest(Action.RELEASE, List.of("b", "unknown"), "", "", 10));
    assertThat(answer.held()).isOne();
    assertThat(rig.outboxIds()).containsExactly("b");
  }

  @Test
  void largeTasksAreReleasedOneAtATime() {
    refused("a", 3 << 20);
    refused("b", 3 << 20);
    assertThat(order(Action.RELEASE).done()).isEqualTo(2);
    assertThat(rig.outboxIds()).containsExactly("a");
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.outboxIds()).containsExactly("b");
  }

  @Test
  void g4NewTopicIsDurableBeforeAnythingIsProduced() {
    refused("a", 100);
    rig.commits = false;
    var answers = new ArrayList<QuarantineAnswer>();
    rig.tell(
        new Command.Quarantined(
            new QuarantineRequest(Action.RETARGET, List.of(), "", RENAMED, 10), answers::add));
    rig.settle();
    assertThat(answers.getFirst().done()).isOne();
    assertThat(rig.outbox).isEmpty();
    rig.commitAndSettle();
    Row row = rig.store.row("a").orElseThrow();
    assertThat(row.forwardTo()).isNotNull();
    assertThat(rig.outbox.getFirst().destination().topic()).isEqualTo(RENAMED);
    assertThat(rig.outbox.getFirst().payload()).isEqualTo(row.activation().payload());

    rig.commits = true;
    rig.crash();
    assertThat(rig.outbox.getFirst().destination().topic()).isEqualTo(RENAMED);
    rig.acknowledge(rig.outbox.getFirst());
    rig.commitAndSettle();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.eventsOf("a")).contains(EngineEvent.DEAD_LETTER_PRODUCED);
    assertThat(rig.eventsOf("a")).doesNotContain(EngineEvent.DEMOTION_PRODUCED);
  }

  @Test
  void requestsAreHandledInParts() {
    refused("a", 100);
    refused("b", 100);
    refused("c", 100);
    var order = new QuarantineRequest(Action.RETARGET, List.of(), "", RENAMED, 2);
    QuarantineAnswer first = tell(order);
    assertThat(first.done()).isEqualTo(2);
    assertThat(first.left()).isOne();
    QuarantineAnswer second = tell(order);
    assertThat(second.done()).isOne();
    assertThat(second.left()).isZero();
    assertThat(rig.outbox)
        .hasSize(3)
        .allMatch(record -> record.destination().topic().equals(RENAMED));
  }

  @Test
  void discardedTaskIsGone() {
    refused("a", 100);
    refused("b", 100);
    QuarantineAnswer answer = tell(new QuarantineRequest(Action.DISCARD, List.of("a"), "", "", 10));
    assertThat(answer.done()).isOne();
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("a");
    assertThat(rig.stats().quarantined()).isOne();
    Depths depths = rig.depths();
    assertThat(depths).isEqualTo(new Depths(0, 0, 0, 0, 0, depths.memoryBytes()));
    // Its id may come again.
    partition.send(Task.of("a"));
    assertThat(rig.claim().id()).isEqualTo("a");
  }

  @Test
  void taskThatEndsWhileItsRowIsReadIsNotProduced() {
    refused("a", 100);
    rig.commits = false;
    rig.tell(
        new Command.Quarantined(
            new QuarantineRequest(Action.RELEASE, List.of(), "", "", 10), _ -> {}));
    rig.tell(
        new Command.Quarantined(
            new QuarantineRequest(Action.DISCARD, List.of(), "", "", 10), _ -> {}));
    rig.settle();
    rig.commitAndSettle();
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.engine().outstanding()).isZero();
  }

  private QuarantineAnswer order(Action action) {
    return tell(new QuarantineRequest(action, List.of(), "", "", 1_000));
  }

  private QuarantineAnswer tell(QuarantineRequest order) {
    var answers = new ArrayList<QuarantineAnswer>();
    rig.tell(new Command.Quarantined(order, answers::add));
    rig.settle();
    return answers.getFirst();
  }

  private void refused(String id, int size) {
    partition.send(Task.of(id).size(size).deadLetters());
    rig.claim();
    rig.report(Status.FAILURE, id);
    refuse("too large");
  }

  private void refuse(String why) {
    rig.tell(new Command.ProduceRefused(rig.outbox.removeFirst(), why));
    rig.settle();
  }
}
