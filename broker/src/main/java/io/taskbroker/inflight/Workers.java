package io.taskbroker.inflight;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.WorkerSession;
import java.util.IdentityHashMap;

/// Workers that opened streams: their slots, their heartbeats, and what becomes of the tasks of a
/// worker that is gone. Not thread-safe.
final class Workers {
  /// How long the tasks of a worker whose stream broke wait for it to come back.
  static final long RECONNECT_MS = 2_000;

  /// How long the tasks that workers had from streams of a previous process wait for them: the
  /// longest pause of a worker that connects again (docs/protocol.md), and what that takes.
  static final long COME_BACK_MS = 3_000 + RECONNECT_MS;

  private final EngineState state;
  private final Timeouts timeouts;
  private final IdentityHashMap<WorkerSession, WorkerStream> streams = new IdentityHashMap<>();

  Workers(EngineState state, Timeouts timeouts) {
    this.state = state;
    this.timeouts = timeouts;
  }

  void opened(Command.WorkerOpened opened) {
    var stream = new WorkerStream(opened);
    streams.put(opened.session(), stream);
    state.register(stream.application, stream);
    opened.session().handled();
  }

  /// Sets the number of slots. Also wakes the engine when a stream has room again.
  void slots(Command.WorkerSlots changed) {
    WorkerStream stream = streams.get(changed.session());
    if (stream != null) {
      stream.setSlots(changed.slots());
    }
    changed.session().handled();
  }

  /// Frees the slot of an attempt.
  void ended(WorkerSession session, AttemptToken token) {
    WorkerStream stream = streams.get(session);
    if (stream != null) {
      stream.ended(token);
    }
  }

  /// Extends the deadlines of tasks that a worker has; the stream from which it says so has them
  /// from now on.
  void heartbeat(Command.WorkerHeartbeat heartbeat) {
    WorkerStream stream = streams.get(heartbeat.session());
    if (stream != null) {
      extend(heartbeat, stream);
    }
    heartbeat.session().handled();
  }

  private void extend(Command.WorkerHeartbeat heartbeat, WorkerStream stream) {
    for (Command.TaskHeartbeat each : heartbeat.tasks()) {
      InFlightTask task = state.tasks.get(each.id());
      if (task == null || !goesOn(task, each.token())) {
        stream.session.cancel(each.id(), each.token(), false);
      } else {
        goOn(task, each.token(), stream);
        progress(task, each.progress());
        if (task.cancelled) {
          // The stream that it had then may have broken.
          stream.session.cancel(each.id(), each.token(), true);
        }
      }
    }
  }

  /// Whether an attempt goes on: its worker has the task, or had it when the previous process
  /// ended, which did not write that, and no worker has got it since.
  private boolean goesOn(InFlightTask task, AttemptToken token) {
    boolean unwritten = task.status() == Status.PENDING && task.attempt == 0 && task.mayHaveRun;
    return task.step() == Step.STORED
        && (task.status() == Status.PROCESSING || unwritten)
        && has(task, token);
  }

  /// Whether the worker with that token has a task that a worker has. Tokens are not stored: those
  /// of before count until the task is delivered again, also if it left this broker and came back;
  /// of several the latest.
  private boolean has(InFlightTask task, AttemptToken token) {
    return task.attempt == 0
        ? task.named == null || token.compareTo(task.named) >= 0
        : state.isLastDelivery(task, token);
  }

  private void goOn(InFlightTask task, AttemptToken token, WorkerStream stream) {
    boolean known = task.stream != null || task.workerLost;
    leaveOthers(task, token, stream);
    if (task.attempt == 0) {
      task.named = token;
    }
    if (task.status() == Status.PENDING) {
      state.detach(task);
      state.transition(task, TaskEvent.START);
      task.claimedAt = state.now;
      task.deadline = state.now;
    }
    task.workerLost = false;
    stream.resumed(token, task);
    timeouts.extend(task, known);
  }

  /// The task leaves the stream that has it; the attempt of an earlier delivery ends.
  private static void leaveOthers(InFlightTask task, AttemptToken token, WorkerStream stream) {
    WorkerStream before = task.stream;
    AttemptToken earlier = task.named;
    if (before != null && earlier != null && !earlier.equals(token)) {
      before.ended(earlier);
      before.session.cancel(task.id(), earlier, false);
    } else if (before != null && before != stream) {
      before.ended(token);
    }
  }

  /// Notes the progress of a task, which counts as its memory (G7); empty keeps the last one.
  private void progress(InFlightTask task, String text) {
    if (!text.isEmpty() && !text.equals(task.progress)) {
      task.progress = text;
      state.memory.recount(task);
    }
  }

  /// Handles the end of a stream. Its tasks run elsewhere: at once if the worker was silent before,
  /// after a moment if it may come back with them.
  void closed(Command.WorkerClosed closed) {
    WorkerStream stream = streams.remove(closed.session());
    if (stream == null) {
      return;
    }
    stream.close();
    state.unregister(stream.application, stream);
    boolean alone = stream.isOfOneTask();
    stream.attempts.forEach((token, task) -> {
      if (task.stream == stream && has(task, token) && task.status() == Status.PROCESSING) {
        task.stream = null;
        task.lostAlone = alone;
        timeouts.workerLost(task, lostAt(task, closed.silent()));
      }
    });
  }

  /// When a task runs elsewhere whose stream has ended. The worker that named it may be that of an
  /// earlier delivery, and that of the last one may still come back (H16).
  private long lostAt(InFlightTask task, boolean silent) {
    long at = silent ? state.now : state.now + RECONNECT_MS;
    return task.attempt == 0 ? Math.max(at, state.workersBackBy()) : at;
  }
}
