package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CallWindowTest {
  private static final int MAX = 64;

  private final CallWindow window = new CallWindow(MAX);

  @Test
  void growsToItsBoundWhileCallsAreAnsweredAtOnce() {
    assertThat(size()).isEqualTo(4);
    for (int i = 0; i < 1_000; i++) {
      window.accepted(i, i + 1, size());
    }
    assertThat(size()).isEqualTo(MAX);
  }

  @Test
  void doesNotGrowWhileItIsNotUsed() {
    for (int i = 0; i < 1_000; i++) {
      window.accepted(i, i + 1, 1);
    }
    assertThat(size()).isEqualTo(4);
  }

  @Test
  void givesWayWhenTheWorkerIsBusyOnceForAllCallsOfThatTime() {
    grow();
    for (int i = 0; i < 10; i++) {
      window.busy(2_000, 2_100);
    }
    assertThat(size()).isEqualTo(MAX / 2);
    window.busy(2_100, 2_200);
    assertThat(size()).isEqualTo(MAX / 4);
  }

  @Test
  void givesWayWhenAnswersAreSlow() {
    grow();
    window.accepted(2_000, 2_151, MAX);
    assertThat(size()).isBetween(MAX / 2, MAX - 1);
  }

  @Test
  void growsSlowlyAfterItGaveWay() {
    grow();
    window.busy(2_000, 2_100);
    window.accepted(2_100, 2_101, MAX / 2);
    assertThat(size()).isEqualTo(MAX / 2);
    for (int i = 0; i < MAX / 2 + 1; i++) {
      window.accepted(2_200, 2_201, MAX / 2);
    }
    assertThat(size()).isEqualTo(MAX / 2 + 1);
  }

  @Test
  void beginsWithAProbeAfterAFailure() {
    grow();
    window.failed();
    assertThat(size()).isEqualTo(1);
    for (int i = 0; i < MAX; i++) {
      window.accepted(2_000, 2_001, size());
    }
    assertThat(size()).isGreaterThanOrEqualTo(MAX / 2);
  }

  @Test
  void neverCloses() {
    for (int i = 0; i < 100; i++) {
      window.busy(i, i);
      window.failed();
    }
    assertThat(window.admits(0)).isTrue();
  }

  private void grow() {
    for (int i = 0; i < 1_000; i++) {
      window.accepted(i, i + 1, size());
    }
  }

  private int size() {
    int calls = 0;
    while (window.admits(calls)) {
      calls++;
    }
    return calls;
  }
}
