package io.taskbroker.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The simulator finds planted bugs: each is planted in an otherwise correct broker and must be
/// found within a number of seeds, while the same history without it breaks nothing.
@ExtendWith(SilentLogs.class)
final class PlantedBugsTest {
  private static final int SEEDS = 3_000;

  @ParameterizedTest
  @EnumSource
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void isFound(PlantedBug bug) {
    isFound(bug, bug, bug.rule, bug.before);
  }

  @ParameterizedTest
  @EnumSource
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void isFound(PlantedProtocolBug bug) {
    isFound(bug, bug, bug.rule, FreshSeeds.DIRECT);
  }

  @ParameterizedTest
  @EnumSource
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void isFound(PlantedScheduleBug bug) {
    isFound(bug, bug, bug.rule, FreshSeeds.SCHEDULED);
  }

  /// @param before the seed before the first candidate
  private static void isFound(Enum<?> name, Tampering bug, String rule, long before) {
    int seeds = 0;
    String finding = "";
    while (finding.isEmpty() && seeds < SEEDS) {
      seeds++;
      finding = new Simulation(before + seeds, false, bug).find();
    }
    System.out.printf("%-26s %-4s %4d seeds  %s%n", name, rule, seeds, finding);
    assertThat(finding).as("finding of %d seeds", seeds).isNotEmpty();
    new Simulation(before + seeds, false, Tampering.NONE)
        .run(); // the history itself breaks nothing
  }
}
