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
      if (task == null
          || task.status() != Status.PROCESSING
          || task.step() != Step.STORED
          || !has(task, each.token())) {
        stream.session.cancel(each.id(), each.token(), false);
      } else {
        extend(task, each.token(), stream);
        progress(task, each.progress());
        if (task.cancelled) {
          // The stream that it had then may have broken.
          stream.session.cancel(each.id(), each.token(), true);
        }
      }
    }
  }

  /// Whether the worker with that token has a task that a worker has. Tokens are not stored: those
  /// of before count until the task is delivered again, also if it left this broker and came back.
  private boolean has(InFlightTask task, AttemptToken token) {
    return task.attempt == 0 || state.isLastDelivery(task, token);
  }

  private void extend(InFlightTask task, AttemptToken token, WorkerStream stream) {
    WorkerStream before = task.stream;
    if (before != null && before != stream) {
      before.movedAway(task, token);
    }
    task.workerLost = false;
    stream.resumed(token, task);
    timeouts.extend(task);
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
        timeouts.workerLost(task, closed.silent() ? state.now : state.now + RECONNECT_MS);
      }
    });
  }
}
