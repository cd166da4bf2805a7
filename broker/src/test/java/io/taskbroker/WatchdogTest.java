package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.runtime.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// G9, H25: readiness is judged from outside, by pending work without progress.
final class WatchdogTest {
  private static final long SECOND = 1_000_000_000;

  @RegisterExtension private final LogCapture log = LogCapture.of(Watchdog.class);

  private final Stage stage = new Stage();
  private final List<Boolean> readiness = new ArrayList<>();
  private final Watchdog watchdog = watchdog(false);

  private Watchdog watchdog(boolean killswitched) {
    return new Watchdog(
        List.of(stage), Duration.ofSeconds(10), killswitched, readiness::add, (_, _) -> {});
  }

  @Test
  void aBrokerWithIdleStagesIsReady() {
    watchdog.look(0);
    watchdog.look(60 * SECOND);

    assertThat(readiness).containsExactly(true);
  }

  @Test
  void h25AStageThatHasWorkAndDoesNoneMakesItUnreadyUntilItWorksAgain() {
    watchdog.look(0);
    stage.work = true;
    look(watchdog, 1, 9);
    assertThat(readiness).containsExactly(true);

    look(watchdog, 10, 11);
    assertThat(readiness).containsExactly(true, false);

    stage.done++;
    watchdog.look(12 * SECOND);
    assertThat(readiness).containsExactly(true, false, true);
  }

  @Test
  void g9AnObstacleMakesItUnreadyAtOnce() {
    stage.obstacle = "Kafka does not let it in";
    look(watchdog, 0, 3);
    assertThat(readiness).isEmpty();
    assertThat(log.lines())
        .containsExactly(
            "ERROR stage cannot work, not ready until it does: Kafka does not let it in");

    stage.obstacle = "";
    watchdog.look(4 * SECOND);
    assertThat(readiness).containsExactly(true);
    stage.obstacle = "again";
    look(watchdog, 5, 6);
    assertThat(readiness).containsExactly(true, false);
    assertThat(log.lines()).hasSize(2);
  }

  @Test
  void aKillswitchedHealthCheckIgnoresStuckStages() {
    Watchdog killswitched = watchdog(true);
    killswitched.look(0);
    stage.work = true;
    look(killswitched, 1, 60);
    assertThat(readiness).containsExactly(true);
  }

  @Test
  void aPausedStageIsNotStuck() {
    watchdog.look(0);
    stage.work = true;
    look(watchdog, 1, 5);
    stage.work = false;
    look(watchdog, 6, 50);
    stage.work = true;
    look(watchdog, 51, 55);

    assertThat(readiness).containsExactly(true);
  }

  @Test
  void aProcessThatStoodStillIsNotTakenForAStageThatDoes() {
    watchdog.look(0);
    stage.work = true;
    watchdog.look(SECOND);
    watchdog.look(60 * SECOND);
    assertThat(readiness).containsExactly(true);

    look(watchdog, 61, 68);
    assertThat(readiness).containsExactly(true, false);
  }

  /// Checks once a second, like the thread does.
  private static void look(Watchdog watchdog, int from, int to) {
    for (int second = from; second <= to; second++) {
      watchdog.look(second * SECOND);
    }
  }

  private static final class Stage implements Progress {
    boolean work;
    long done;
    String obstacle = "";

    @Override
    public String name() {
      return "stage";
    }

    @Override
    public boolean hasWork() {
      return work;
    }

    @Override
    public long done() {
      return done;
    }

    @Override
    public String obstacle() {
      return obstacle;
    }
  }
}
