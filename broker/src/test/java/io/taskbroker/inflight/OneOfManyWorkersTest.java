package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// G8: the outcome of a call to one worker of an application holds up nothing while its other
/// workers accept activations (ADR 14).
@Timeout(240)
final class OneOfManyWorkersTest {
  /// The initial number of calls.
  private static final int WINDOW = 4;

  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @BeforeEach
  void send() {
    for (int i = 0; i < 100; i++) {
      partition.send(Task.of("t" + i));
    }
    rig.settle();
    assertThat(rig.calls).hasSize(WINDOW);
  }

  @ParameterizedTest
  @EnumSource(names = {"LOST", "OVERLOADED"})
  void g8WorkerThatDiesWhileOthersAcceptBlocksNothing(PushOutcome outcome) {
    List<Delivery> first = List.copyOf(rig.calls);
    rig.pass(5);
    rig.answer(first.get(0), PushOutcome.ACCEPTED);
    int before = rig.calls.size();

    rig.answer(first.get(1), outcome, true);

    assertThat(rig.calls).hasSize(before);
    assertThat(rig.noticed(EngineEvent.WORKER_UNREACHABLE)).isEmpty();
    rig.answer(first.get(2), outcome, false);
    assertThat(rig.calls).as("calls to the only worker").hasSizeLessThan(before);
  }

  @Test
  void g8WorkerThatDiesWhileNoOtherAcceptsCountsAsAll() {
    rig.answer(List.copyOf(rig.calls).getFirst(), PushOutcome.LOST, true);

    assertThat(rig.calls).hasSize(WINDOW - 1);
    assertThat(rig.noticed(EngineEvent.WORKER_UNREACHABLE)).isNotEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"BUSY", "UNREACHABLE"})
  void g3TaskProvenUndeliveredIsRequeuedAtOnce(PushOutcome outcome) {
    Delivery refused = List.copyOf(rig.calls).getFirst();

    rig.answer(refused, outcome, true);

    assertThat(rig.calls).hasSize(WINDOW);
    assertThat(rig.calls.getLast().id()).isEqualTo(refused.id());
  }
}
