package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// H21: nothing is early. Leases and deadlines follow the monotonic clock; delays and expiries
/// follow the wall clock, also when it is set.
final class H21ClockTest {
  private static final long HOUR = 3_600_000;

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h21DelayIsNotAMillisecondEarly() {
    partition.send(Task.of("x").delayUntil(rig.wall + 900));
    rig.pass(899);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h21DelayIsNotEarlyAfterARestart() {
    partition.send(Task.of("x").delayUntil(rig.wall + 900));
    rig.pass(500);
    rig.crash();
    rig.pass(399);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @ParameterizedTest
  @ValueSource(longs = {HOUR, -HOUR})
  void h21DeadlineIsNotMovedByTheWallClock(long step) {
    partition.send(Task.of("x").deadline(10));
    rig.claim();
    rig.pass(5_000);
    rig.stepClock(step);
    rig.pass(5_000 + RigOptions.GRACE - 1);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @ParameterizedTest
  @ValueSource(longs = {HOUR, -HOUR})
  void h21LeaseIsNotMovedByTheWallClock(long step) {
    var pushed = new EngineRig(RigOptions.push("app"));
    pushed.assigned("tasks").send(Task.of("x"));
    pushed.stepClock(step);
    pushed.pass(RigOptions.LEASE - 1);
    assertThat(pushed.deliveries).hasSize(1);
    pushed.pass(1);
    assertThat(pushed.deliveries).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(longs = {HOUR, -HOUR})
  void h21DeadlineOnDiskIsRewritten(long step) {
    partition.send(Task.of("x").deadline(100));
    rig.claim();
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    long before = rig.store.row("x").orElseThrow().processingDeadline();
    rig.stepClock(step);
    assertThat(rig.store.row("x").orElseThrow().processingDeadline()).isEqualTo(before + step);
  }

  @Test
  void h21DelayEndsWhenTheWallClockSaysSo() {
    partition.send(Task.of("x").delayUntil(rig.wall + 500_000));
    rig.stepClock(499_999);
    assertThat(rig.claim().id()).isEmpty();
    rig.stepClock(1_000);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h21DelayIsNotEarlyWhenTheClockIsSetBack() {
    partition.send(Task.of("x").delayUntil(rig.wall + 10_000));
    rig.pass(9_000);
    rig.stepClock(-5_000);
    rig.pass(5_999);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h21DelayIsNotEarlyWithASlowClock() {
    partition.send(Task.of("x").delayUntil(rig.wall + 10_000));
    for (int i = 0; i < 100; i++) {
      rig.pass(100);
      rig.stepClock(-10);
    }
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1_000);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h21TaskWhoseDelayEndedWaitsAgainWhenTheClockIsSetBack() {
    partition.send(Task.of("x").delayUntil(rig.wall + 1_000));
    rig.pass(1_000);
    rig.stepClock(-300);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(299);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h21TaskThatWaitsForItsStatusWaitsAgainWhenTheClockIsSetBack() {
    partition.send(Task.once("x").delayUntil(rig.wall + 1_000));
    partition.commitOffset();
    rig.pass(1_000);
    rig.commits = false;
    RigReply claim = rig.claim();
    rig.stepClock(-1_000);
    rig.commits = true;
    rig.settle();
    assertThat(claim.isAnswered()).isTrue();
    assertThat(claim.id()).isEmpty();
    rig.pass(1_000);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h21ExpiryFollowsTheWallClock() {
    partition.send(Task.of("x").expiresAt(rig.wall + 10_000));
    rig.stepClock(10_000);
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h21ExpiryIsNotEarlyWhenTheClockIsSetBack() {
    partition.send(Task.of("x").expiresAt(rig.wall + 10_000));
    rig.stepClock(-5_000);
    rig.pass(14_999);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @ParameterizedTest
  @ValueSource(longs = {HOUR, -HOUR})
  void h21ParkedDelayFollowsTheWallClock(long step) {
    long due = rig.wall + 2 * HOUR;
    partition.send(Task.of("x").delayUntil(due));
    rig.stepClock(step);
    rig.pass(due - rig.wall - 1);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void h21SurplusIsNotDelayedWhenTheClockIsSetBack() {
    var small = new EngineRig(RigOptions.pull().maxPending(1));
    RigPartition from = small.assigned("tasks");
    from.send(Task.of("0"), Task.of("1"));
    small.pass(2_000);
    small.claim();
    small.report(Status.COMPLETE, "0");
    assertThat(small.claim().id()).isEqualTo("1");
    small.report(Status.COMPLETE, "1");

    small.stepClock(-HOUR);
    from.send(IntStream.range(2, 5).mapToObj(i -> Task.of("" + i)).toArray(Task[]::new));
    small.pass(2_000);
    for (int i = 2; i < 5; i++) {
      assertThat(small.claim().id()).isEqualTo("" + i);
      small.report(Status.COMPLETE, "" + i);
    }
  }
}
