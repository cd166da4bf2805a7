package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import org.junit.jupiter.api.Test;

/// H4: a record whose id is in flight is a duplicate, unless the row of that id is being forwarded
/// or deleted: then the record waits, and is stored after the row is gone.
final class H04ConflictTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");
  private final RigPartition letters = rig.assigned("letters");

  @Test
  void h04SecondRecordOfALiveRowIsDropped() {
    partition.send(Task.of("x"));
    letters.send(Task.of("x"));
    rig.settle();
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("x");
    assertThat(letters.consumed).isEqualTo(1);
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void h04SecondRecordOfAParkedRowIsDropped() {
    partition.send(Task.of("x").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    letters.send(Task.of("x"));
    rig.settle();
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("x");
    assertThat(letters.consumed).isEqualTo(1);
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void h04ReplayOfADeadLetterWaitsForTheRowToEndAndRuns() {
    partition.send(Task.of("x").deadLetters());
    rig.claim();
    rig.report(Status.FAILURE, "x");
    assertThat(rig.outboxIds()).containsExactly("x");

    letters.send(Task.of("x"));
    rig.settle();
    assertThat(letters.consumed).isEqualTo(-1);
    assertThat(rig.claim().id()).isEmpty();

    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(letters.consumed).isEqualTo(1);
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void h04SameRecordOfAForwardedRowIsDropped() {
    partition.send(Task.of("x").deadLetters());
    rig.claim();
    rig.report(Status.FAILURE, "x");

    rig.tell(
        new Command.Ingest(
            partition.source,
            java.util.List.of(
                new Command.IngestedRecord(
                    Task.of("x").at(rig.store.rows().getFirst().activation().origin(), rig.wall),
                    null)),
            1,
            0));
    rig.settle();
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("x");
    assertThat(partition.consumed).isEqualTo(1);
  }

  @Test
  void h04RecordWaitsForADeleteThatIsNotDurable() {
    partition.send(Task.of("x"));
    rig.claim();
    rig.commits = false;
    RigReply reply = rig.report(Status.COMPLETE, "x");
    letters.send(Task.of("x"));
    rig.settle();
    assertThat(rig.store.uncommitted()).hasSize(1);

    rig.commitAndSettle();
    assertThat(reply.isAnswered()).isTrue();
    rig.commitAndSettle();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h04RecordWaitsForTheDeleteOfAParkedRow() {
    partition.send(Task.of("x").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    rig.settle();
    rig.commits = false;
    rig.report(Status.COMPLETE, "x");
    letters.send(Task.of("x"));
    rig.settle();
    assertThat(rig.store.uncommitted()).hasSize(1);
    rig.commits = true;
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h04OtherRecordsGoOnAfterTheOneThatWaited() {
    partition.send(Task.of("x").deadLetters());
    rig.claim();
    rig.report(Status.FAILURE, "x");
    letters.send(Task.of("x"), Task.of("y"));
    rig.settle();
    assertThat(rig.claim().id()).isEmpty();
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(rig.claim().id()).isEqualTo("y");
  }
}
