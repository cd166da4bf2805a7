package io.taskbroker.inflight;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Random histories of a broker; see [EngineModel]. A failing seed is printed and always fails; the
/// system properties `model.first` and `model.seeds` select others.
final class EngineModelTest {
  private static final long FIRST = Long.getLong("model.first", 0);
  private static final long SEEDS = Long.getLong("model.seeds", 400);

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void nothingIsLostOrDoneTwice() {
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        new EngineModel(seed).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("Seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }
}
