package io.taskbroker.lab.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.lab.soak.FaultPlan.Planned;
import java.time.Duration;
import java.util.EnumSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FaultPlanTest {
  private static final Duration TEN_MINUTES = Duration.ofMinutes(10);

  @Test
  void dependsOnTheSeedAndTheLengthOnly() {
    assertThat(FaultPlan.of(TEN_MINUTES, 7)).isEqualTo(FaultPlan.of(TEN_MINUTES, 7));
    assertThat(FaultPlan.of(TEN_MINUTES, 7)).isNotEqualTo(FaultPlan.of(TEN_MINUTES, 8));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 10, 60})
  void everyKindHappensAndTheLastProcessSurvives(int minutes) {
    for (long seed = 0; seed < 200; seed++) {
      var load = Duration.ofMinutes(minutes);
      FaultPlan plan = FaultPlan.of(load, seed);
      assertThat(plan.faults().stream().map(Planned::kind).collect(Collectors.toSet()))
          .as("seed %d", seed)
          .isEqualTo(EnumSet.allOf(FaultKind.class));
      assertThat(plan.faults())
          .as("seed %d", seed)
          .isSortedAccordingTo((one, other) -> one.at().compareTo(other.at()))
          .allMatch(fault -> fault.at().plus(fault.lasting()).compareTo(load) < 0)
          .noneMatch(
              fault -> fault.kind().restarts && fault.at().compareTo(plan.lastProcess()) >= 0);
    }
  }
}
