package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.TokenEpoch;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Which priority's parked rows are read next.
final class ParkedBacklogsTest {
  private static final long DUE = 10_000;

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final EngineState state =
      new EngineState(
          RigOptions.pull().build(), rig.ports(), new SplittableRandom(1), new TokenEpoch(1));
  private final ParkedBacklogs parked = state.queueOf("app").backlog;

  @Test
  void highestPriorityIsReadFirstAndOnePageAtATime() {
    parkAll();

    parked.read(state, 9);
    assertThat(parked.isReading()).isTrue();
    assertThat(parked.nextRead()).isGreaterThan(state.wall);
    parked.wasRead(state, page(4));
    assertThat(parked.priorities()).containsExactly(0, -4);

    parked.read(state, 9);
    parked.wasRead(state, page(0));
    assertThat(parked.priorities()).containsExactly(-4);
  }

  /// An insert of a row that is due first waits for space: rows of other priorities make it.
  @Test
  void h12PageThatDoesNotComeKeepsNoOtherPriorityFromBeingRead() {
    parkAll();
    parked.read(state, 9);

    state.wall += ParkedBacklogs.PATIENCE_MS - 1;
    assertThat(parked.nextRead()).isEqualTo(state.wall + 1);
    state.wall++;
    parked.read(state, 9);
    parked.wasRead(state, page(0));

    assertThat(parked.priorities()).containsExactly(4, -4);
    assertThat(parked.nextRead()).isLessThanOrEqualTo(state.wall);
  }

  @Test
  void h21ReadsAgainWhenTheClockIsSetBack() {
    parkAll();
    parked.read(state, 9);
    parked.wasRead(state, page(4));
    parked.rewind();
    state.wall = DUE / 2;
    assertThat(parked.park(4, 1, DUE / 2)).isEqualTo(DUE / 2);
    assertThat(parked.nextRead()).isLessThanOrEqualTo(state.wall);
  }

  @Test
  void arrivalsKnowWhatGoesBeforeThem() {
    state.wall = DUE;
    parked.park(0, 1, DUE);
    assertThat(parked.holdsDue(0, state.wall)).isTrue();
    assertThat(parked.holdsDue(1, state.wall)).isFalse();
    assertThat(parked.holdsDueBelow(1, state.wall)).isTrue();
    parked.park(-1, 2, DUE);
    assertThat(parked.holdsDue(-2, state.wall)).isTrue();
    assertThat(parked.holdsDue(1, state.wall)).isFalse();
    assertThat(parked.holdsDueBelow(0, state.wall)).isTrue();
    assertThat(parked.holdsDueBelow(-1, state.wall)).isFalse();
  }

  private void parkAll() {
    parked.park(0, 1, DUE);
    parked.park(-4, 2, DUE);
    parked.park(4, 3, DUE);
    state.wall = DUE;
  }

  /// An empty last page.
  private static Command.ParkedRead page(int priority) {
    return new Command.ParkedRead("app", priority, List.of(), Row.NONE, 0);
  }
}
