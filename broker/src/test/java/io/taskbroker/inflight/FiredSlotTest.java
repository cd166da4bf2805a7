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
import java.util.List;
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
    Activation task = Task.of(id).at(new Origin("", -1, 1_000), rig.wall);
    var step = new ScheduleStep(1, new ScheduleRow("s", 2, 5, new byte[0]));
    rig.tell(new Command.Enqueue(List.of(task), List.of(step), reply));
    rig.settle();
    return reply;
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
