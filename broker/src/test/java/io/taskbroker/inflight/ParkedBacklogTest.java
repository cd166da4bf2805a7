package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.TokenEpoch;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Cursor of the parked rows (H15).
final class ParkedBacklogTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final EngineState state =
      new EngineState(
          RigOptions.pull().build(), rig.ports(), new SplittableRandom(1), new TokenEpoch(1));
  private final ParkedBacklog parking = new ParkedBacklog(state.queueOf("app"), 0);

  @Test
  void h15ReadsAheadOfTheTimeAndNotBefore() {
    assertThat(parking.nextRead()).isEqualTo(Long.MAX_VALUE);
    assertThat(parking.park(Long.MAX_VALUE, 10_000)).isEqualTo(10_000);
    assertThat(parking.nextRead()).isEqualTo(10_000 - ParkedBacklog.LEAD_MS);
    state.wall = 10_000 - ParkedBacklog.LEAD_MS - 1;
    assertThat(reads(1)).isFalse();
    state.wall++;
    assertThat(reads(0)).isFalse();
    assertThat(reads(1)).isTrue();
    assertThat(reads(1)).isFalse();
    assertThat(parking.nextRead()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void h15PositionIsBehindThePageBeingRead() {
    parking.park(Long.MAX_VALUE, 10_000);
    state.wall = 10_000;
    assertThat(reads(1)).isTrue();
    long upTo = 10_000 + ParkedBacklog.LEAD_MS;
    assertThat(parking.park(Long.MAX_VALUE, 5_000)).isEqualTo(upTo + 1);
    assertThat(parking.park(Long.MAX_VALUE, upTo + 500)).isEqualTo(upTo + 500);
    parking.wasRead(state, page(Row.NONE, row(1, 10_000)));
    assertThat(parking.nextRead()).isEqualTo(upTo + 1 - ParkedBacklog.LEAD_MS);
  }

  @Test
  void h15PositionIsBehindTheLastReadRow() {
    parking.park(Long.MAX_VALUE, 10_000);
    state.wall = 10_000;
    assertThat(reads(1)).isTrue();
    parking.wasRead(state, page(Row.NONE, row(7, 10_000)));
    assertThat(parking.park(Long.MAX_VALUE, 3_000)).isEqualTo(10_000);
    assertThat(parking.park(Long.MAX_VALUE, 20_000)).isEqualTo(20_000);
  }

  @Test
  void h15NextPageStartsWhereTheLastEnded() {
    parking.park(Long.MAX_VALUE, 10_000);
    state.wall = 10_000;
    assertThat(reads(1)).isTrue();
    parking.wasRead(state, page(10_500, row(7, 10_000)));
    assertThat(parking.holdsDue(10_499)).isFalse();
    assertThat(parking.holdsDue(10_500)).isTrue();
    assertThat(reads(1)).isTrue();
    assertThat(parking.holdsDue(0)).isTrue();
  }

  @Test
  void h15EmptyPageDoesNotMoveTheCursor() {
    parking.park(Long.MAX_VALUE, 10_000);
    state.wall = 10_000;
    assertThat(reads(1)).isTrue();
    parking.wasRead(state, page(Row.NONE));
    assertThat(parking.holdsAny()).isFalse();
    assertThat(parking.park(Long.MAX_VALUE, 3_000)).isEqualTo(3_000);
  }

  @Test
  void h15FirstOfTheRowsFoundAtStartupIsNext() {
    parking.found(9_000);
    parking.found(5_000);
    parking.found(7_000);
    assertThat(parking.nextRead()).isEqualTo(5_000 - ParkedBacklog.LEAD_MS);
  }

  @Test
  void h21RestartsWhenTheClockIsSetBack() {
    parking.park(Long.MAX_VALUE, 10_000);
    state.wall = 10_000;
    assertThat(reads(1)).isTrue();
    parking.rewind();
    assertThat(parking.park(Long.MAX_VALUE, 3_000)).isEqualTo(3_000);
    parking.wasRead(state, page(Row.NONE, row(7, 10_000)));
    assertThat(parking.nextRead()).isEqualTo(3_000 - ParkedBacklog.LEAD_MS);
    assertThat(parking.park(Long.MAX_VALUE, 2_000)).isEqualTo(2_000);
  }

  private boolean reads(int room) {
    boolean before = rig.store.isIdle();
    parking.read(state, room);
    boolean asked = before && !rig.store.isIdle();
    rig.store.crash();
    return asked;
  }

  private static Command.ParkedRead page(long nextDue, Row... rows) {
    return new Command.ParkedRead("app", 0, List.of(rows), nextDue, 0);
  }

  private static Row row(long key, long due) {
    var activation = Task.of("t" + key).at(new Origin("tasks", 0, key), 0);
    return Row.arriving(key, activation, Status.DELAY, 0).parkedUntil(due);
  }
}
