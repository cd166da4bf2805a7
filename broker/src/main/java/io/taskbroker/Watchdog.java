package io.taskbroker;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watchdog of the stages: one that has work and makes no progress for a while makes the broker
/// unready until it does (G9, H25).
final class Watchdog implements Service {
  private static final Logger log = LoggerFactory.getLogger(Watchdog.class);
  private static final long CHECK_MS = 1_000;

  /// Maximum time between two checks that counts towards a stall: a longer gap means that the whole
  /// process stood still, not its stages.
  private static final long LONGEST_GAP_NANOS = TimeUnit.MILLISECONDS.toNanos(3 * CHECK_MS);

  private final List<Watched> stages;
  private final Duration patience;
  private final boolean killswitched;
  private final Consumer<Boolean> ready;
  private final Findings findings;
  private final LoopThread thread;
  private boolean checked;
  private boolean worked;
  private boolean wasReady;

  /// Receiver of each check's result. Called by the watchdog's thread; must not block.
  @FunctionalInterface
  interface Findings {
    /// @param live false if a stage stands still that depends on nothing outside the process
    /// @param stages what is wrong with the stages
    /// @param now monotonic time in nanoseconds
    void found(boolean live, boolean ready, List<Condition> stages, long now);
  }

  /// @param patience how long a stage may have work and make no progress
  /// @param killswitched whether the broker reports ready regardless (reference-spec 8.6)
  /// @param ready called with the readiness whenever it changes
  /// @param findings called at each check, after `ready`
  Watchdog(
      List<? extends Progress> stages,
      Duration patience,
      boolean killswitched,
      Consumer<Boolean> ready,
      Findings findings,
      FailureSink failures) {
    this.stages = new ArrayList<>();
    stages.forEach(stage -> this.stages.add(new Watched(stage)));
    this.patience = patience;
    this.killswitched = killswitched;
    this.ready = ready;
    this.findings = findings;
    this.thread = new LoopThread("watchdog", this::turn, failures);
  }

  @Override
  public String name() {
    return "watchdog";
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    thread.stop(Duration.ofSeconds(1));
    ready.accept(false);
  }

  private void turn() throws InterruptedException {
    check(System.nanoTime());
    TimeUnit.MILLISECONDS.sleep(CHECK_MS);
  }

  /// Checks the stages at the given monotonic time, in nanoseconds.
  void check(long now) {
    var complaints = new ArrayList<Runnable>();
    var conditions = new ArrayList<Condition>();
    boolean works = true;
    boolean live = true;
    for (Watched stage : stages) {
      String obstacle = stage.progress.obstacle();
      boolean stuck = stage.isStuck(now);
      if (!obstacle.isEmpty()) {
        works = false;
        conditions.add(
            new Condition(Condition.Kind.STAGE_BLOCKED, stage.progress.name(), obstacle));
        if (worked || !checked) {
          complaints.add(() ->
              log.error("{} is blocked, {}: {}", stage.progress.name(), consequence(), obstacle));
        }
      } else if (stuck) {
        works = false;
        live &= !stage.progress.isSelfContained();
        conditions.add(stuck(stage));
        if (worked) {
          complaints.add(() ->
              log.error(
                  "{} has work and has made no progress for {} s: {}",
                  stage.progress.name(),
                  patience.toSeconds(),
                  consequence()));
        }
      }
    }
    checked = true;
    worked = works;
    // Readiness changes first: it must be correct even if logging blocks or fails.
    if (!wasReady && (works || killswitched)) {
      wasReady = true;
      ready.accept(true);
    } else if (wasReady && !works && !killswitched) {
      wasReady = false;
      ready.accept(false);
    }
    findings.found(live, wasReady, conditions, now);
    complaints.forEach(Runnable::run);
  }

  private static Condition stuck(Watched stage) {
    return new Condition(
        Condition.Kind.STAGE_STUCK,
        stage.progress.name(),
        "it has work and has made no progress for %d s"
            .formatted(TimeUnit.NANOSECONDS.toSeconds(stage.stalledNanos)));
  }

  private String consequence() {
    return killswitched ? "still ready, by configuration" : "not ready until it makes progress";
  }

  private final class Watched {
    private final Progress progress;
    private long lastDone = -1;
    private long checkedAt;
    private long stalledNanos;

    Watched(Progress progress) {
      this.progress = progress;
    }

    boolean isStuck(long now) {
      long done = progress.done();
      boolean moved = done != lastDone || !progress.hasWork();
      stalledNanos = moved ? 0 : stalledNanos + Math.min(now - checkedAt, LONGEST_GAP_NANOS);
      lastDone = done;
      checkedAt = now;
      return stalledNanos >= patience.toNanos();
    }
  }
}
