package io.taskbroker.ingest.fetch;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Memory shared by readers of several topics: two of them never take more than the bound, and
/// released memory is available again (G7).
@Tag("concurrency")
@Timeout(300)
final class IntakeMemoryLincheckTest {
  @Test
  void g7TwoReadersNeverExceedTheMemory() {
    Interleavings.of(() -> {
      var memory = shared(new IntakeMemory(10));
      var taken = new boolean[2];
      Actor other = start(() -> taken[0] = memory.tryTake(6));
      taken[1] = memory.tryTake(6);
      join(other);
      check(taken[0] != taken[1], "taken " + memory.used());
      check(memory.used() == 6, memory.used());
      memory.give(6);
      check(memory.tryTake(100) && !memory.tryTake(1), memory.used());
    });
  }
}
