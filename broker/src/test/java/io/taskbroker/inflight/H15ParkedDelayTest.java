package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// H15: parked rows are unparked, each once and in time, whatever happens between the request for a
/// page and its arrival.
final class H15ParkedDelayTest {
  private static final long DUE = 10_000;

  /// Parks every delay.
  private final EngineRig rig = new EngineRig(RigOptions.pull().maxDelayed(0).maxPending(300));

  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h15aDelayParkedDuringAPageReadIsNotSkipped() {
    partition.send(Task.of("first").delayUntil(rig.wall + DUE));
    rig.pass(DUE - ParkedBacklog.LEAD_MS - 1);
    rig.commits = false;
    rig.pass(1);
    assertThat(rig.store.isIdle()).isFalse();
    long due = rig.wall + 500;
    partition.send(Task.of("second").delayUntil(due));

    rig.commits = true;
    rig.pass(2 * ParkedBacklog.LEAD_MS);
    assertThat(List.of(rig.claim().id(), rig.claim().id()))
        .containsExactlyInAnyOrder("first", "second");
  }

  @Test
  void h15aDelayParkedBehindTheSweepIsNotSkipped() {
    partition.send(Task.of("first").delayUntil(rig.wall + DUE));
    rig.pass(DUE - ParkedBacklog.LEAD_MS);
    assertThat(rig.depths().parked()).isZero();
    partition.send(Task.of("second").delayUntil(rig.wall + 200));
    assertThat(rig.store.row("second").orElseThrow().parkedUntil())
        .isGreaterThanOrEqualTo(rig.wall + 200);
    rig.pass(ParkedBacklog.LEAD_MS);
    assertThat(List.of(rig.claim().id(), rig.claim().id()))
        .containsExactlyInAnyOrder("first", "second");
  }

  @Test
  void h15aInsertThatIsNotDurableIsNotSkipped() {
    rig.commits = false;
    partition.send(Task.of("first").delayUntil(rig.wall + DUE));
    rig.pass(2 * DUE);
    rig.commits = true;
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("first");
  }

  @Test
  void h15bRowsOfADeadApplicationDoNotHideThoseOfOthers() {
    var small = new EngineRig(RigOptions.pull().maxDelayed(0).maxPending(3));
    RigPartition from = small.assigned("tasks");
    from.send(
        IntStream.range(0, 600)
            .mapToObj(i -> Task.of("dead-" + i).application("dead").delayUntil(small.wall + DUE))
            .toArray(Task[]::new));
    from.send(Task.of("live").application("live").delayUntil(small.wall + DUE + 1));
    small.pass(DUE + 1);
    assertThat(small.claim("live", null).id()).isEqualTo("live");
    assertThat(small.depths().parked()).isGreaterThan(500);
  }

  @Test
  void h15MorePagesThanOneAreReadInOrder() {
    partition.send(
        IntStream.range(0, 3 * ParkedBacklog.PAGE)
            .mapToObj(i -> Task.of("task-" + i).delayUntil(rig.wall + DUE))
            .toArray(Task[]::new));
    rig.pass(DUE);
    for (int i = 0; i < 3 * ParkedBacklog.PAGE; i++) {
      assertThat(rig.claim().id()).isEqualTo("task-" + i);
      rig.report(Status.COMPLETE, "task-" + i);
    }
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h15cStalePageDoesNotReviveACompletedRow() {
    List<Command> page = pageWith("x");
    RigReply reply = rig.report(Status.COMPLETE, "x");
    page.forEach(rig::tell);
    rig.settle();
    rig.commits = true;
    rig.pass(DUE);
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.store.missed).isEmpty();
  }

  @Test
  void h15cStalePageDoesNotReviveAnEarlierRowOfTheId() {
    List<Command> page = pageWith("x");
    rig.report(Status.COMPLETE, "x");
    rig.commits = true;
    rig.settle();
    partition.send(Task.of("x").delayUntil(rig.wall + 2 * DUE));
    page.forEach(rig::tell);
    rig.pass(DUE);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(DUE);
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void h15RepeatedReportOfAParkedRowIsAnsweredWhenTheFirstIsDurable() {
    partition.send(Task.of("x").delayUntil(rig.wall + DUE));
    rig.commits = false;
    RigReply first = rig.report(Status.COMPLETE, "x");
    RigReply again = rig.report(Status.COMPLETE, "x");
    assertThat(first.isAnswered() || again.isAnswered()).isFalse();
    rig.commitAndSettle();
    assertThat(first.answers).isEqualTo(1);
    assertThat(again.answers).isEqualTo(1);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.store.missed).isEmpty();
  }

  @Test
  void h15FailureReportedOfAParkedRowIsStale() {
    partition.send(Task.of("x").delayUntil(rig.wall + DUE));
    assertThat(rig.report(Status.FAILURE, "x").isAnswered()).isTrue();
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).containsExactly("x");
    rig.pass(DUE);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h15ParkedDelayIsNeverEarlyAndSurvivesARestart() {
    partition.send(Task.of("x").delayUntil(rig.wall + DUE));
    rig.crash();
    rig.pass(DUE - 1);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  /// The page with a row, read from the store and not yet delivered to the engine.
  private List<Command> pageWith(String id) {
    partition.send(Task.of(id).delayUntil(rig.wall + DUE));
    rig.pass(DUE - ParkedBacklog.LEAD_MS - 1);
    rig.commits = false;
    rig.pass(1);
    List<Command> page = rig.store.commit(1);
    assertThat(page).singleElement().isInstanceOf(Command.ParkedRead.class);
    return page;
  }
}
