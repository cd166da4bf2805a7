package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import org.junit.jupiter.api.Test;

final class TombstonesTest {
  private final Tombstones tombstones = new Tombstones();

  @Test
  void lastsUntilItsEnd() {
    tombstones.add(Ids.fingerprint("x"), 100, 0);
    assertThat(tombstones.has("x", 99)).isTrue();
    assertThat(tombstones.has("x", 100)).isFalse();
    assertThat(tombstones.has("y", 0)).isFalse();
  }

  @Test
  void isRemovedAtItsEndAndNotBefore() {
    tombstones.add(Ids.fingerprint("x"), 100, 0);
    tombstones.add(Ids.fingerprint("y"), 200, 0);
    tombstones.forget(99);
    assertThat(tombstones.has("x", 99)).isTrue();
    tombstones.forget(100);
    // It is removed: otherwise a clock that was set back would revive it.
    assertThat(tombstones.has("x", 50)).isFalse();
    assertThat(tombstones.has("y", 50)).isTrue();
  }

  @Test
  void lastsLongerWhenItIsAddedAgain() {
    tombstones.add(Ids.fingerprint("x"), 100, 0);
    tombstones.add(Ids.fingerprint("x"), 300, 0);
    tombstones.forget(200);
    assertThat(tombstones.has("x", 200)).isTrue();
  }

  @Test
  void evictsTheOldestAboveTheMaximum() {
    tombstones.add(Ids.fingerprint("oldest"), 1_000, 0);
    for (int i = 1; i < Tombstones.MAX; i++) {
      tombstones.add(new Fingerprint(i, i), 1_000, 0);
    }
    assertThat(tombstones.has("oldest", 0)).isTrue();
    tombstones.add(Ids.fingerprint("newest"), 1_000, 0);
    assertThat(tombstones.has("oldest", 0)).isFalse();
    assertThat(tombstones.has("newest", 0)).isTrue();
  }

  /// An id of a week must not be evicted for those of a minute that have ended.
  @Test
  void oneThatLastsLongKeepsNoneThatHaveEnded() {
    long week = 604_800_000;
    tombstones.add(Ids.fingerprint("week"), week, 0);
    long minutes = 0;
    for (int i = 1; i <= Tombstones.MAX; i++) {
      if (i % 100_000 == 0) {
        minutes++;
        tombstones.forget(minutes * 60_000);
      }
      tombstones.add(new Fingerprint(i, i), (minutes + 1) * 60_000, minutes * 60_000);
    }
    assertThat(tombstones.has("week", minutes * 60_000)).isTrue();
    tombstones.forget(minutes * 60_000 + 60_000);
    assertThat(tombstones.size()).isOne();
  }

  @Test
  void evictsTheOneThatEndsFirst() {
    tombstones.add(Ids.fingerprint("later"), 9_000_000, 0);
    tombstones.add(Ids.fingerprint("first"), 60_000, 0);
    for (int i = 1; i < Tombstones.MAX; i++) {
      tombstones.add(new Fingerprint(i, i), 3_600_000, 0);
    }
    assertThat(tombstones.has("later", 0)).isTrue();
    assertThat(tombstones.has("first", 0)).isFalse();
  }

  @Test
  void oneThatIsAddedAgainForLongerKeepsNoneThatHaveEnded() {
    tombstones.add(Ids.fingerprint("x"), 1_000, 0);
    tombstones.add(Ids.fingerprint("y"), 1_000, 0);
    tombstones.add(Ids.fingerprint("x"), 900_000, 0);
    tombstones.forget(2_000);
    assertThat(tombstones.has("x", 2_000)).isTrue();
    assertThat(tombstones.has("y", 500)).isFalse();
    tombstones.forget(900_000);
    assertThat(tombstones.size()).isZero();
  }
}
