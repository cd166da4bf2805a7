package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.TaskLifecycle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Delivery of activations to workers: claims the next runnable task for a push channel with
/// credits or for a polling worker. An at-most-once task is delivered once its status is durable,
/// and never twice (G3, H9). Not thread-safe.
final class Dispatcher {
  /// Tasks that one of several channels takes before the next has its turn.
  private static final int TURN = 8;

  private final EngineState state;
  private final TaskCompletion completion;
  private final StatusWriter statusWriter;
  private final Timeouts timeouts;

  Dispatcher(
      EngineState state, TaskCompletion completion, StatusWriter statusWriter, Timeouts timeouts) {
    this.state = state;
    this.completion = completion;
    this.statusWriter = statusWriter;
    this.timeouts = timeouts;
  }

  /// Delivers tasks to the channels of the application while they have credits.
  void dispatch(ApplicationQueue queue) {
    List<DeliveryChannel> channels = queue.channels();
    int number = channels.size();
    int turn = number < 2 ? Integer.MAX_VALUE : TURN;
    boolean more = number > 0;
    while (more) {
      more = false;
      for (int i = 0; i < number && queue.hasReady(); i++) { // allocates no iterator
        more |= dispatch(queue, channels.get((queue.turn + i) % number), turn);
      }
    }
    queue.turn = number == 0 ? 0 : (queue.turn + 1) % number;
  }

  /// Returns whether the channel took all that it may take in one turn.
  private boolean dispatch(ApplicationQueue queue, DeliveryChannel channel, int most) {
    for (int i = 0; i < most; i++) {
      if (state.gate.store() != null || !state.gate.isOpen(channel)) {
        return false;
      }
      InFlightTask task = next(queue, channel.namespaces());
      if (task == null || !channel.accepts(task)) {
        return false;
      }
      deliver(task, channel);
    }
    return true;
  }

  /// The next task of the namespaces, of all if there are none.
  private @Nullable InFlightTask next(ApplicationQueue queue, List<String> namespaces) {
    if (namespaces.isEmpty()) {
      return next(queue, (String) null);
    }
    InFlightTask first = null;
    for (String namespace : namespaces) {
      InFlightTask task = next(queue, namespace);
      if (task != null && (first == null || queue.ready.isBefore(task, first))) {
        first = task;
      }
    }
    return first;
  }

  /// Delivers the next matching task to a polling worker.
  void claim(@Nullable String application, @Nullable String namespace, DeliveryChannel channel) {
    InFlightTask task = null;
    if (state.gate.isOpen(channel)) {
      if (application != null) {
        ApplicationQueue queue = state.queues.find(application);
        task = queue == null ? null : next(queue, namespace);
      } else if (namespace == null) {
        task = oldestOfAll();
      }
    }
    if (task == null) {
      channel.release();
    } else {
      deliver(task, channel);
    }
  }

  /// The next task of the application whose oldest one arrived first.
  private @Nullable InFlightTask oldestOfAll() {
    for (InFlightTask oldest = state.queues.oldest();
        oldest != null;
        oldest = state.queues.oldest()) {
      InFlightTask task = next(oldest.queue, (String) null);
      if (task != null) {
        return task;
      }
    }
    return null;
  }

  /// The next task of the queue that has not expired and that nothing holds back.
  private @Nullable InFlightTask next(ApplicationQueue queue, @Nullable String namespace) {
    InFlightTask task = queue.ready.next(namespace);
    while (task != null) {
      if (state.isExpired(task.activation)) {
        completion.expire(task);
      } else if (state.gate.task(task) != null) {
        state.detach(task);
        completion.makeReady(task, false);
      } else {
        return task;
      }
      task = queue.ready.next(namespace);
    }
    return null;
  }

  /// Claims the task for the channel: at once, or when its status is durable if it is at most once
  /// (G3, H9).
  private void deliver(InFlightTask task, DeliveryChannel channel) {
    state.detach(task);
    channel.reserve(task);
    if (task.activation.atMostOnce() && !statusWriter.isFresh(task)) {
      state.transition(task, channel.confirms() ? TaskEvent.WRITE_CLAIM : TaskEvent.WRITE_START);
      task.channel = channel;
      statusWriter.writeAhead(
          task,
          state.wall + state.options.periods().lease(),
          task.status() == Status.PROCESSING && !channel.namesTasks()
              ? state.wall + timeouts.processing(task)
              : Row.NONE);
    } else {
      state.transition(task, channel.confirms() ? TaskEvent.CLAIM : TaskEvent.START);
      deliverClaimed(task, channel);
    }
  }

  /// Handles a durable status update or offset confirmation. The last pending one of a task may
  /// complete a delivery.
  void statusWritten(InFlightTask task) {
    task.pendingWrites--;
    if (task.step() != Step.WRITING_STATUS || task.pendingWrites > 0) {
      return;
    }
    DeliveryChannel channel = task.channel;
    task.channel = null;
    state.transition(task, TaskEvent.STATUS_WRITTEN);
    if (channel == null) {
      completion.makeReady(task, false);
    } else if (state.isExpired(task.activation)) {
      task.channel = channel;
      completion.expire(task);
    } else if (state.gate.broker() != null
        || state.gate.task(task) != null
        || task.cancelled
        || channel.isClosed()
        || !statusWriter.isFresh(task)) {
      requeue(channel, task);
    } else {
      deliverClaimed(task, channel);
    }
  }

  /// Requeues a task that was not delivered although its row says so: the row is reverted.
  private void requeue(DeliveryChannel channel, InFlightTask task) {
    channel.release();
    state.transition(task, TaskEvent.REQUEUE);
    statusWriter.revert(task);
    completion.makeReady(task, true);
  }

  private void deliverClaimed(InFlightTask task, DeliveryChannel channel) {
    state.leaveWorker(task); // if that did not answer
    Delivery delivery = state.delivery(task);
    task.claimedAt = state.now;
    task.progress = "";
    task.workerLost = false;
    task.named = null;
    if (state.spans != null) {
      state.spans.delivered(task, channel.worker());
    }
    if (channel.confirms()) {
      task.inCall = true;
      timeouts.claimed(task);
    } else {
      task.queue.succeeded(state.now);
      timeouts.started(task);
    }
    state.recorder.delivered(task, channel.worker(), state.wall);
    state.eventUnlessRepeated(channel.confirms() ? EngineEvent.CLAIMED : EngineEvent.PULLED, task);
    state.follow(
        channel.confirms() ? TaskLifecycle.CALLED : TaskLifecycle.FETCHED, task.activation, "");
    channel.deliver(delivery);
  }
}
