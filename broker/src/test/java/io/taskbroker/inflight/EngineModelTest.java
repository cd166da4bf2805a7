package io.taskbroker.inflight;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Random lives of a broker; see [EngineModel]. A seed that fails is printed and fails always; the
/// system properties `model.first` and `model.seeds` choose others.
final class EngineModelTest {
  private static final long FIRST = Long.getLong("model.first", 0);
  private static final long SEEDS = Long.getLong("model.seeds", 400);

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void nothingIsLostOrDoneTwiceHoweverItGoes() {
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        new EngineModel(seed).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("Seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }
}
