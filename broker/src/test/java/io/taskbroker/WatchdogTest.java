package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// G9, H25: readiness follows from pending work without progress, observed from outside.
final class WatchdogTest {
  private static final long SECOND = 1_000_000_000;

  @RegisterExtension private final LogCapture log = LogCapture.of(Watchdog.class);

  private final Stage stage = new Stage();
  private boolean alive;
  private List<Condition> conditions = List.of();
  private final List<Boolean> readiness = new ArrayList<>();
  private final Watchdog watchdog = watchdog(false);

  private Watchdog watchdog(boolean killswitched) {
    return new Watchdog(
        List.of(stage),
        Duration.ofSeconds(10),
        killswitched,
        readiness::add,
        (live, _, found, _) -> {
          alive = live;
          conditions = found;
        },
        (_, _) -> {});
  }

  @Test
  void idleStagesAreReady() {
    watchdog.check(0);
    watchdog.check(60 * SECOND);

    assertThat(readiness).containsExactly(true);
  }

  @Test
  void h25StalledStageMakesTheBrokerUnreadyUntilItProgresses() {
    watchdog.check(0);
    stage.work = true;
    look(watchdog, 1, 9);
    assertThat(readiness).containsExactly(true);

    look(watchdog, 10, 11);
    assertThat(readiness).containsExactly(true, false);

    stage.done++;
    watchdog.check(12 * SECOND);
    assertThat(readiness).containsExactly(true, false, true);
  }

  @Test
  void g9AnObstacleMakesTheBrokerUnreadyAtOnce() {
    stage.obstacle = "Kafka does not let it in";
    look(watchdog, 0, 3);
    assertThat(readiness).isEmpty();
    assertThat(log.lines())
        .containsExactly(
            "ERROR stage is blocked, not ready until it makes progress: Kafka does not let it in");

    stage.obstacle = "";
    watchdog.check(4 * SECOND);
    assertThat(readiness).containsExactly(true);
    stage.obstacle = "again";
    look(watchdog, 5, 6);
    assertThat(readiness).containsExactly(true, false);
    assertThat(log.lines()).hasSize(2);
  }

  @Test
  void aStuckStageIsNamedAndOnlyASelfContainedOneNeedsARestart() {
    watchdog.check(0);
    stage.work = true;
    look(watchdog, 1, 12);
    assertThat(alive).isTrue();
    assertThat(conditions)
        .containsExactly(
            new Condition(
                Condition.Kind.STAGE_STUCK,
                "stage",
                "it has work and has made no progress for 12 s"));

    stage.selfContained = true;
    watchdog.check(13 * SECOND);
    assertThat(alive).isFalse();

    stage.done++;
    watchdog.check(14 * SECOND);
    assertThat(alive).isTrue();
    assertThat(conditions).isEmpty();
  }

  @Test
  void killswitchedHealthIgnoresStuckStages() {
    Watchdog killswitched = watchdog(true);
    killswitched.check(0);
    stage.work = true;
    look(killswitched, 1, 60);
    assertThat(readiness).containsExactly(true);
  }

  @Test
  void aStageHeldBackByALimitIsNotStuck() {
    watchdog.check(0);
    stage.work = true;
    look(watchdog, 1, 5);
    stage.work = false;
    look(watchdog, 6, 50);
    stage.work = true;
    look(watchdog, 51, 55);

    assertThat(readiness).containsExactly(true);
  }

  @Test
  void pausedProcessIsNotAStalledStage() {
    watchdog.check(0);
    stage.work = true;
    watchdog.check(SECOND);
    watchdog.check(60 * SECOND);
    assertThat(readiness).containsExactly(true);

    look(watchdog, 61, 68);
    assertThat(readiness).containsExactly(true, false);
  }

  /// Checks every second, like the thread.
  private static void look(Watchdog watchdog, int from, int to) {
    for (int second = from; second <= to; second++) {
      watchdog.check(second * SECOND);
    }
  }

  private static final class Stage implements Progress {
    boolean work;
    long done;
    String obstacle = "";
    boolean selfContained;

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

    @Override
    public boolean isSelfContained() {
      return selfContained;
    }
  }
}
