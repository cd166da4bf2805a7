package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Failure policy of tasks that expired or failed too often: it holds wherever they are (W9),
/// whatever its number (W10), and however large their numbers are (W11).
final class PolicyTest {
  private static final long FAR = 2 * RigOptions.PARK_HORIZON;
  private static final int MAX_ATTEMPTS = 5;

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  /// Where a task is when it expires.
  enum Location {
    ARRIVING,
    QUEUED,
    DELAYED,
    PARKED,
    WAITING_FOR_ITS_COMMIT
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, Integer.MAX_VALUE, -1, Integer.MIN_VALUE})
  void w10TaskThatRanTooOftenMeetsItsPolicyWhateverItsNumber(int number) {
    FailurePolicy policy = FailurePolicy.ofNumber(number);
    partition.send(Task.of("x").policy(policy).deadline(1));
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      assertThat(rig.claim().id()).isEqualTo("x");
      rig.pass(1_000 + RigOptions.GRACE);
    }
    assertThat(rig.claim().id()).isEmpty();
    assertGone(policy);
  }

  @ParameterizedTest
  @EnumSource(Location.class)
  void w9ExpiredTaskWhosePolicyIsDeadLetterGoesToTheDeadLetterTopic(Location location) {
    expire(location, FailurePolicy.DEAD_LETTER);
    assertThat(rig.outbox.getFirst().payload())
        .isEqualTo(partition.activations().getFirst().payload());
    assertGone(FailurePolicy.DEAD_LETTER);
  }

  @ParameterizedTest
  @EnumSource(Location.class)
  void g5ExpiredTaskIsDiscardedByItsPolicy(Location location) {
    expire(location, FailurePolicy.DISCARD);
    assertGone(FailurePolicy.DISCARD);
  }

  @Test
  void w11HugeNumbersDoNoHarm() {
    for (long huge : new long[] {Long.MAX_VALUE, Long.MAX_VALUE - 1, Long.MAX_VALUE / 2}) {
      partition.send(
          Task.of("delay" + huge).delayUntil(huge),
          Task.of("expiry" + huge).expiresAt(huge).deadline(Integer.MAX_VALUE),
          Task.of("both" + huge).delayUntil(huge).expiresAt(huge));
    }
    rig.rule(RigRules.killing("nothing"));
    for (int i = 0; i < 3; i++) {
      assertThat(rig.claim().id()).startsWith("expiry");
    }
    rig.pass(10 * FAR);
    rig.stepClock(-FAR);
    rig.stepClock(2 * FAR);
    rig.crash();
    rig.pass(10 * FAR);
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.store.rows()).hasSize(9);
  }

  private void expire(Location location, FailurePolicy policy) {
    long end = rig.wall + FAR - 1_000;
    Task task = location == Location.WAITING_FOR_ITS_COMMIT ? Task.once("x") : Task.of("x");
    switch (location) {
      case ARRIVING -> task.expiresAt(rig.wall - 1);
      case QUEUED, WAITING_FOR_ITS_COMMIT -> task.expiresAt(end);
      case DELAYED -> task.delayUntil(rig.wall + 5_000).expiresAt(rig.wall + 4_000);
      case PARKED -> task.delayUntil(rig.wall + FAR).expiresAt(end);
    }
    partition.send(task.policy(policy));
    assertThat(rig.depths().parked()).isEqualTo(location == Location.PARKED ? 1 : 0);
    rig.pass(FAR);
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.expired()).containsExactly("x");
  }

  private void assertGone(FailurePolicy policy) {
    assertThat(partition.consumed).isEqualTo(1);
    if (policy.deadLetters()) {
      assertThat(rig.outbox)
          .extracting(record -> record.destination().topic())
          .containsExactly(RigOptions.DEAD_LETTER_TOPIC);
      rig.acknowledge(rig.outbox.getFirst());
      rig.settle();
    } else {
      assertThat(rig.outbox).isEmpty();
    }
    assertThat(rig.store.rows()).extracting(Row::key).isEmpty();
  }
}
