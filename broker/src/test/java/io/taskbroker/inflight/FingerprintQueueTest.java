package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Ids.Fingerprint;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class FingerprintQueueTest {
  @Test
  void matchesADeque() {
    var random = new SplittableRandom(7);
    var queue = new FingerprintQueue();
    var model = new ArrayDeque<Fingerprint>();
    for (int i = 0; i < 100_000; i++) {
      // Grows, then shrinks.
      if (random.nextInt(100_000) > i || model.isEmpty()) {
        var id = new Fingerprint(i, random.nextLong());
        queue.addLast(id);
        model.addLast(id);
      } else {
        assertThat(queue.peekFirst()).isEqualTo(model.removeFirst());
        queue.removeFirst();
      }
      assertThat(queue.size()).isEqualTo(model.size());
      assertThat(queue.peekFirst()).isEqualTo(model.peekFirst());
    }
  }
}
