package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import org.junit.jupiter.api.Test;

final class TombstonesTest {
  private final Tombstones tombstones = new Tombstones();

  @Test
  void lastsUntilItsEnd() {
    tombstones.add(Ids.fingerprint("x"), 100);
    assertThat(tombstones.has("x", 99)).isTrue();
    assertThat(tombstones.has("x", 100)).isFalse();
    assertThat(tombstones.has("y", 0)).isFalse();
  }

  @Test
  void isRemovedAtItsEndAndNotBefore() {
    tombstones.add(Ids.fingerprint("x"), 100);
    tombstones.add(Ids.fingerprint("y"), 200);
    tombstones.forget(99);
    assertThat(tombstones.has("x", 99)).isTrue();
    tombstones.forget(100);
    // It is removed: otherwise a clock that was set back would revive it.
    assertThat(tombstones.has("x", 50)).isFalse();
    assertThat(tombstones.has("y", 50)).isTrue();
  }

  @Test
  void lastsLongerWhenItIsAddedAgain() {
    tombstones.add(Ids.fingerprint("x"), 100);
    tombstones.add(Ids.fingerprint("x"), 300);
    tombstones.forget(200);
    assertThat(tombstones.has("x", 200)).isTrue();
  }

  @Test
  void evictsTheOldestAboveTheMaximum() {
    tombstones.add(Ids.fingerprint("oldest"), 1_000);
    for (int i = 1; i < Tombstones.MAX; i++) {
      tombstones.add(new Fingerprint(i, i), 1_000);
    }
    assertThat(tombstones.has("oldest", 0)).isTrue();
    tombstones.add(Ids.fingerprint("newest"), 1_000);
    assertThat(tombstones.has("oldest", 0)).isFalse();
    assertThat(tombstones.has("newest", 0)).isTrue();
  }
}
