package io.taskbroker.lab.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class WorkloadTest {
  @Test
  void dependsOnTheSeedOnly() {
    Workload workload = workload(1, 3);
    Workload same = workload(1, 3);
    Workload other = workload(1, 4);
    int differences = 0;
    for (int number = 0; number < workload.tasks(); number++) {
      assertThat(workload.kind(number)).isEqualTo(same.kind(number));
      assertThat(workload.publishedAfter(number)).isEqualTo(same.publishedAfter(number));
      differences += workload.kind(number) == other.kind(number) ? 0 : 1;
    }
    assertThat(differences).isPositive();
  }

  @Test
  void everyKindOccursAndLongDelaysEndWithTheLoad() {
    Workload workload = workload(10, 1);
    for (SoakTaskKind kind : SoakTaskKind.values()) {
      assertThat(workload.count(kind)).as(kind.toString()).isPositive();
    }
    for (int number = 0; number < workload.tasks(); number++) {
      if (workload.kind(number) == SoakTaskKind.FAR) {
        assertThat(workload.publishedAfter(number).plus(Workload.HORIZON))
            .isLessThanOrEqualTo(Duration.ofMinutes(10));
        assertThat(workload.delaySeconds(number)).isGreaterThanOrEqualTo(305);
      }
    }
    assertThat(workload(1, 1).count(SoakTaskKind.FAR)).isZero();
  }

  @Test
  void burstsArePublishedAtOnce() {
    Workload workload = workload(10, 1);
    int atOnce = 0;
    for (int number = 1; number < workload.tasks(); number++) {
      Duration gap = workload.publishedAfter(number).minus(workload.publishedAfter(number - 1));
      assertThat(gap).isGreaterThanOrEqualTo(Duration.ZERO);
      atOnce += gap.isZero() ? 1 : 0;
    }
    assertThat(atOnce).isBetween(workload.tasks() / 6, workload.tasks() / 2);
  }

  private static Workload workload(int minutes, long seed) {
    return new Workload(
        new SoakOptions(Duration.ofMinutes(minutes), seed, 100, Duration.ZERO, Optional.empty()));
  }
}
