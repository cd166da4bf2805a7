package io.taskbroker.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Request to stop one attempt. It is made at most once, and the thread of the attempt is
/// interrupted with it. Thread-safe.
public final class Cancellation {
  private static final Logger log = LoggerFactory.getLogger(Cancellation.class);

  /// Why an attempt should stop.
  public enum Reason {
    /// Its deadline passed. The broker counts the attempt as lost.
    DEADLINE,
    /// A client cancelled the task.
    REQUESTED,
    /// The task was delivered again, to this worker or another: a result would be refused.
    SUPERSEDED,
    /// The worker stops, and the time that it gave to its tasks is over.
    WORKER_STOPS
  }

  private @Nullable Reason reason;
  private List<Runnable> actions = List.of();

  /// Whether the attempt should stop.
  public boolean isRequested() {
    return reason().isPresent();
  }

  /// Why it should stop; empty while it should go on.
  public synchronized Optional<Reason> reason() {
    return Optional.ofNullable(reason);
  }

  /// @throws TaskCancelledException if the attempt should stop
  public void throwIfRequested() {
    reason()
        .ifPresent(why -> {
          throw new TaskCancelledException(why);
        });
  }

  /// Runs an action on request, such as closing a socket that interruption does not reach; at once
  /// if the request was made already. It runs on a thread of the client and must not block; what it
  /// throws is logged.
  public void onRequest(Runnable action) {
    synchronized (this) {
      if (reason == null) {
        actions = new ArrayList<>(actions);
        actions.add(action);
        return;
      }
    }
    action.run();
  }

  /// Makes the request.
  ///
  /// @return false if it had been made before
  public boolean request(Reason why) {
    List<Runnable> toRun;
    synchronized (this) {
      if (reason != null) {
        return false;
      }
      reason = why;
      toRun = actions;
      actions = List.of();
    }
    for (Runnable each : toRun) {
      try {
        each.run();
      } catch (RuntimeException e) {
        log.warn("An action on the request to stop an attempt ({}) failed", why, e);
      }
    }
    return true;
  }
}
