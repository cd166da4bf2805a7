package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Ids.Fingerprint;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FingerprintMapTest {
  /// Few low halves: long sequences of neighbours, and fingerprints that differ only in the high
  /// half.
  @ParameterizedTest
  @ValueSource(ints = {40, 5_000, Integer.MAX_VALUE})
  void matchesAHashMap(int lows) {
    var random = new SplittableRandom(lows);
    var map = new FingerprintMap();
    Map<Fingerprint, Long> model = new HashMap<>();
    Fingerprint[] ids = new Fingerprint[4_000];
    for (int i = 0; i < ids.length; i++) {
      ids[i] =
          new Fingerprint(
              i, lows == Integer.MAX_VALUE ? random.nextLong() : random.nextInt(lows));
    }
    for (int i = 0; i < 100_000; i++) {
      Fingerprint id = ids[random.nextInt(ids.length)];
      // Grows, then shrinks.
      if (random.nextInt(100_000) > i) {
        long value = random.nextLong() | 1;
        map.put(id, value);
        model.put(id, value);
      } else {
        Long removed = model.remove(id);
        assertThat(map.remove(id)).isEqualTo(removed == null ? FingerprintMap.ABSENT : removed);
      }
      assertThat(map.size()).isEqualTo(model.size());
      Fingerprint other = ids[random.nextInt(ids.length)];
      assertThat(map.get(other)).isEqualTo(model.getOrDefault(other, FingerprintMap.ABSENT));
    }
    for (Fingerprint id : ids) {
      assertThat(map.get(id)).isEqualTo(model.getOrDefault(id, FingerprintMap.ABSENT));
    }
  }
}
