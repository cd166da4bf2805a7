package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import org.junit.jupiter.api.Test;

/// H20: the delete of a row and the insert of the next row of the same id are never pending at the
/// same time.
final class H20OneChangeAtATimeTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h20ReplayOfACompletedIdIsInsertedAfterTheDeleteIsDurable() {
    partition.send(Task.of("x"));
    rig.claim();
    rig.commits = false;
    rig.report(Status.COMPLETE, "x");
    partition.send(Task.of("x"));
    rig.pass(10_000);
    assertThat(rig.store.uncommitted()).singleElement().isInstanceOf(Change.Delete.class);

    rig.commit(1);
    assertThat(rig.store.uncommitted())
        .anyMatch(Change.Insert.class::isInstance)
        .noneMatch(Change.Delete.class::isInstance);
    rig.commits = true;
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("x");
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void h20NothingIsWrittenForARowAfterItsDelete() {
    partition.send(Task.of("x"));
    rig.claim();
    rig.commits = false;
    rig.report(Status.COMPLETE, "x");
    rig.report(Status.RETRY, "x");
    rig.report(Status.COMPLETE, "x");
    rig.stepClock(3_600_000);
    rig.pass(100_000);
    rig.tell(new Command.Drain());
    rig.settle();
    assertThat(rig.store.uncommitted()).singleElement().isInstanceOf(Change.Delete.class);
  }

  @Test
  void h20NewRowHasAKeyOfItsOwnAlsoAfterARestart() {
    partition.send(Task.of("x"));
    long first = rig.store.rows().getFirst().key();
    rig.claim();
    rig.report(Status.COMPLETE, "x");
    rig.crash();
    partition.assign();
    partition.send(Task.of("x"));
    assertThat(rig.store.rows().getFirst().key()).isGreaterThan(first);
  }
}
