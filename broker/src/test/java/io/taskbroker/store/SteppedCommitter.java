package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.runtime.FlusherTurns;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.SystemContext;
import java.util.List;

/// The real committer without its thread, driven by a simulation.
public final class SteppedCommitter {
  private final StoreCommitter committer;
  private final SystemContext context;

  public SteppedCommitter(
      ActivationStore store,
      CommitOptions options,
      StoreCommitter.Listener listener,
      SystemContext context) {
    this.context = context;
    this.committer =
        new StoreCommitter(
            store,
            options,
            listener,
            (stage, cause) -> {
              throw new IllegalStateException(stage, cause);
            },
            context);
  }

  public void submit(List<Change> changes, List<? extends StoreQuery> queries) {
    committer.submit(changes, queries);
  }

  public Progress progress() {
    return committer;
  }

  /// Runs one turn if it is due.
  ///
  /// @return nanoseconds until the next turn is due
  public long turn() {
    long now = context.ticker().nanoTime();
    FlusherTurns.turn(committer.flusher, now);
    return FlusherTurns.next(committer.flusher) - now;
  }
}
