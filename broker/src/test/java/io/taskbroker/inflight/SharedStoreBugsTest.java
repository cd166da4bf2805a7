package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The model of several brokers finds the faults that it is meant to find: each [SharedStoreBug]
/// breaks a guarantee, and without it no guarantee is broken.
final class SharedStoreBugsTest {
  private static final int SEEDS = 200;

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void isFound(SharedStoreBug bug) {
    int seeds = 0;
    String finding = "";
    while (finding.isEmpty() && seeds < SEEDS) {
      seeds++;
      finding = find(seeds, bug);
    }
    System.out.printf("%-22s %-3s %2d seeds  %s%n", bug, bug.history, seeds, finding);
    assertThat(finding).as("what %d seeds find: %s", seeds, bug.what).isNotEmpty();
    assertThat(find(seeds, SharedStoreBug.NONE)).as("seed %d without it", seeds).isEmpty();
  }

  private static String find(long seed, SharedStoreBug bug) {
    try {
      new SharedStoreModel(seed, bug).run();
      return "";
    } catch (AssertionError | RuntimeException e) {
      return String.valueOf(e.getMessage()).lines().findFirst().orElse("?");
    }
  }
}
