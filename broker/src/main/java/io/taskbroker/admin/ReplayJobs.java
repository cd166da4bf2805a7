package io.taskbroker.admin;

import io.taskbroker.admin.DeadLetterViews.ReplayCounts;
import io.taskbroker.admin.DeadLetterViews.ReplayRun;
import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.deadletter.ReplayReport;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Replays and discards that operators started, one at a time, each on a thread of its own; the
/// last [#KEPT] are remembered until the process ends. Thread-safe: one lock.
final class ReplayJobs {
  private static final Logger log = LoggerFactory.getLogger(ReplayJobs.class);
  static final int KEPT = 20;
  private static final Duration STOP = Duration.ofSeconds(1);

  private final InstantSource clock;
  private final ArrayDeque<ReplayRun> runs = new ArrayDeque<>();
  private int number;
  private @Nullable Thread running;
  private boolean stopping;

  ReplayJobs(InstantSource clock) {
    this.clock = clock;
  }

  /// Work of a run; ends early, with what was done until then, if it is interrupted.
  @FunctionalInterface
  interface Work {
    ReplayReport run(Consumer<ReplayReport> progress) throws InterruptedException;
  }

  /// Starts a run.
  ///
  /// @throws ApiProblem 409 if one runs
  synchronized ReplayRun start(
      String action, boolean dryRun, String who, String reason, Work work) {
    if (running != null) {
      throw new ApiProblem(
          409, "Conflict", "Run " + runs.getFirst().id() + " goes on: wait for it, or stop it");
    }
    number++;
    stopping = false;
    var begun =
        new ReplayRun(
            Integer.toString(number),
            action,
            dryRun,
            who,
            reason,
            clock.instant(),
            "running",
            ReplayCounts.NONE,
            Optional.empty());
    if (runs.size() == KEPT) {
      runs.removeLast();
    }
    runs.addFirst(begun);
    running = Thread.ofVirtual().name("admin-replay-" + number).start(() -> work(begun, work));
    return begun;
  }

  private void work(ReplayRun begun, Work work) {
    try {
      ReplayReport report = work.run(progress -> change("running", ReplayCounts.of(progress)));
      end("done", Optional.of(ReplayCounts.of(report)), "");
    } catch (InterruptedException _) {
      end("stopped", Optional.empty(), "");
    } catch (RuntimeException | Error e) {
      boolean known = e instanceof DeadLetterException || e instanceof IllegalArgumentException;
      if (!known && !isStopping()) {
        log.warn("The {} of dead letters {} failed", begun.action(), begun.id(), e);
      }
      end(
          "failed",
          Optional.empty(),
          known ? String.valueOf(e.getMessage()) : "the log of the broker says why: " + e);
    }
  }

  private synchronized boolean isStopping() {
    return stopping;
  }

  private synchronized void change(String state, ReplayCounts counts) {
    runs.addFirst(runs.removeFirst().with(state, counts, Optional.empty()));
  }

  /// Ends the latest run, which is the one that runs. What fails because it is stopped has stopped.
  ///
  /// @param counts empty for those of the last progress
  private synchronized void end(String state, Optional<ReplayCounts> counts, String problem) {
    ReplayRun last = runs.removeFirst();
    boolean stopped = stopping && !state.equals("done");
    runs.addFirst(
        last.with(
            stopped ? "stopped" : state,
            counts.orElse(last.counts()),
            Optional.of(problem).filter(text -> !stopped && !text.isEmpty())));
    running = null;
  }

  synchronized List<ReplayRun> all() {
    return List.copyOf(runs);
  }

  synchronized Optional<ReplayRun> find(String id) {
    return runs.stream().filter(run -> run.id().equals(id)).findFirst();
  }

  /// Ends a run after its present transaction.
  ///
  /// @throws ApiProblem 404 if it does not run
  synchronized ReplayRun stop(String id) {
    Thread thread = running;
    if (thread == null || !runs.getFirst().id().equals(id)) {
      throw new ApiProblem(404, "Not found", "Run " + id + " is not running");
    }
    stopping = true;
    thread.interrupt();
    return runs.getFirst();
  }

  /// Ends what runs, and waits a moment for it.
  void close() {
    Thread thread;
    synchronized (this) {
      thread = running;
      stopping = true;
    }
    if (thread != null) {
      thread.interrupt();
      try {
        boolean _ = thread.join(STOP);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
