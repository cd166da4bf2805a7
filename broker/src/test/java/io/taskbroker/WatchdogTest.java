package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.runtime.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// G9, H25: readiness is judged from outside, by work that waits and is not done.
final class WatchdogTest {
  private static final long SECOND = 1_000_000_000;

  private final Stage stage = new Stage();
  private final List<Boolean> told = new ArrayList<>();
  private final Watchdog watchdog = watchdog(false);

  private Watchdog watchdog(boolean killswitched) {
    return new Watchdog(
        List.of(stage), Duration.ofSeconds(10), killswitched, told::add, (_, _) -> {});
  }

  @Test
  void aBrokerIsReadyWhenItsStagesHaveNothingToDo() {
    watchdog.look(0);
    watchdog.look(60 * SECOND);

    assertThat(told).containsExactly(true);
  }

  @Test
  void h25AStageThatHasWorkAndDoesNoneMakesItUnreadyUntilItWorksAgain() {
    watchdog.look(0);
    stage.work = true;
    watchdog.look(SECOND);
    watchdog.look(9 * SECOND);
    assertThat(told).containsExactly(true);

    watchdog.look(11 * SECOND);
    assertThat(told).containsExactly(true, false);

    stage.done++;
    watchdog.look(12 * SECOND);
    assertThat(told).containsExactly(true, false, true);
  }

  @Test
  void aStuckStageChangesNothingWhenHealthIsKillswitched() {
    Watchdog killswitched = watchdog(true);
    killswitched.look(0);
    stage.work = true;
    killswitched.look(SECOND);
    killswitched.look(60 * SECOND);
    assertThat(told).containsExactly(true);
  }

  @Test
  void aStageThatIsHeldBackOnPurposeIsNotStuck() {
    watchdog.look(0);
    stage.work = true;
    watchdog.look(5 * SECOND);
    stage.work = false;
    watchdog.look(50 * SECOND);
    stage.work = true;
    watchdog.look(55 * SECOND);

    assertThat(told).containsExactly(true);
  }

  private static final class Stage implements Progress {
    boolean work;
    long done;

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
  }
}
