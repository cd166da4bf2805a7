package io.taskbroker;

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

/// Looks at the stages from outside: one that has work and does none for a while makes the broker
/// unready, until it works again (G9, H25).
final class Watchdog implements Service {
  private static final Logger log = LoggerFactory.getLogger(Watchdog.class);
  private static final long LOOK_MS = 1_000;

  /// Of the time between two looks no more counts than this: one that comes later says that the
  /// whole process stood still, and nothing of its stages.
  private static final long LONGEST_GAP_NANOS = TimeUnit.MILLISECONDS.toNanos(3 * LOOK_MS);

  private final List<Watched> stages;
  private final Duration patience;
  private final boolean killswitched;
  private final Consumer<Boolean> ready;
  private final LoopThread thread;
  private boolean looked;
  private boolean worked;
  private boolean wasReady;

  /// @param patience how long a stage may have work and do none
  /// @param killswitched whether the broker counts as ready all the same (reference-spec 8.6)
  /// @param ready told whether the broker is ready, whenever that changes
  Watchdog(
      List<? extends Progress> stages,
      Duration patience,
      boolean killswitched,
      Consumer<Boolean> ready,
      FailureSink failures) {
    this.stages = new ArrayList<>();
    stages.forEach(stage -> this.stages.add(new Watched(stage)));
    this.patience = patience;
    this.killswitched = killswitched;
    this.ready = ready;
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
    look(System.nanoTime());
    TimeUnit.MILLISECONDS.sleep(LOOK_MS);
  }

  /// Judges the stages at the given time of a monotonic clock, nanoseconds.
  void look(long now) {
    var complaints = new ArrayList<Runnable>();
    boolean works = true;
    for (Watched stage : stages) {
      String obstacle = stage.progress.obstacle();
      boolean stuck = stage.isStuck(now);
      if (!obstacle.isEmpty()) {
        works = false;
        if (worked || !looked) {
          complaints.add(() ->
              log.error("{} cannot work, {}: {}", stage.progress.name(), consequence(), obstacle));
        }
      } else if (stuck) {
        works = false;
        if (worked) {
          complaints.add(() ->
              log.error(
                  "{} has work and has done none of it for {} s: {}",
                  stage.progress.name(),
                  patience.toSeconds(),
                  consequence()));
        }
      }
    }
    looked = true;
    worked = works;
    // Told before it is logged: health must be true whatever becomes of the log.
    if (!wasReady && (works || killswitched)) {
      wasReady = true;
      ready.accept(true);
    } else if (wasReady && !works && !killswitched) {
      wasReady = false;
      ready.accept(false);
    }
    complaints.forEach(Runnable::run);
  }

  private String consequence() {
    return killswitched ? "ready all the same, by configuration" : "not ready until it does";
  }

  private final class Watched {
    private final Progress progress;
    private long lastDone = -1;
    private long lookedAt;
    private long stalledNanos;

    Watched(Progress progress) {
      this.progress = progress;
    }

    boolean isStuck(long now) {
      long done = progress.done();
      boolean moved = done != lastDone || !progress.hasWork();
      stalledNanos = moved ? 0 : stalledNanos + Math.min(now - lookedAt, LONGEST_GAP_NANOS);
      lastDone = done;
      lookedAt = now;
      return stalledNanos >= patience.toNanos();
    }
  }
}
