package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.NextAttempt;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Retries;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.TaskHistory;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskLifecycle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// End of activations: completed, discarded, retried or dead-lettered. A forward is durable before
/// it is produced, and acknowledged before the row is deleted (G4, H7). Not thread-safe.
final class TaskCompletion {
  /// Dead-letter reason of an expired activation.
  static final String EXPIRED = "it expired";

  private final EngineState state;

  TaskCompletion(EngineState state) {
    this.state = state;
  }

  /// Ends a task that a client cancelled.
  void cancel(InFlightTask task) {
    task.end = TaskEnd.CANCELLED;
    state.recorder.failed(task, "cancelled by its client");
    state.event(EngineEvent.DISCARDED, task, "cancelled by its client");
    complete(task);
  }

  /// Completes the task: its row is deleted.
  void complete(InFlightTask task) {
    complete(task, false);
  }

  private void complete(InFlightTask task, boolean mayReturn) {
    release(task);
    remove(task, mayReturn);
  }

  /// Deletes a parked row by the id of its task.
  ///
  /// @param fingerprint of the id
  /// @param group as [ParkedIds#find] tells it
  /// @param end how it ends
  InFlightTask removeParked(Fingerprint fingerprint, PartitionKey group, String id, TaskEnd end) {
    boolean remembered = state.parked.leavesTombstone(fingerprint, group);
    long key = state.parked.remove(fingerprint, group);
    return removeParked(group.origin(), key, id, remembered, end);
  }

  /// Ends a parked task that somebody cancelled. Only its row tells for how long its id is
  /// remembered, and whether its record is kept. Returns null if the row is not parked any more.
  @Nullable InFlightTask cancelParked(Row row) {
    Activation activation = row.activation();
    Fingerprint id = Ids.fingerprint(activation.id());
    if (!state.parked.has(id, activation.origin(), row.key())) {
      return null;
    }
    long _ = state.parked.remove(id, activation.origin());
    return removeParked(
        activation.origin(),
        row.key(),
        activation.id(),
        activation.leavesTombstone(),
        TaskEnd.CANCELLED);
  }

  /// Deletes a parked row, of which memory holds no more than these arguments. Until the row is
  /// gone, a task represents it, as for any row that is being deleted.
  ///
  /// @param origin of the row; of its partition if no more is known
  /// @param remembered whether its id leaves a tombstone (H8)
  /// @param end how it ends
  InFlightTask removeParked(Origin origin, long key, String id, boolean remembered, TaskEnd end) {
    var unknown =
        new Activation(
            id,
            "",
            "",
            "",
            new byte[0],
            origin,
            state.wall,
            Activation.NEVER,
            0,
            0,
            FailurePolicy.UNSPECIFIED,
            false,
            remembered);
    var task = new InFlightTask(key, unknown, TaskState.COMPLETED, state.queues.nobody);
    task.end = end;
    boolean _ = state.join(task);
    remove(task, false);
    return task;
  }

  /// Deletes the row of a completed task. Retries and at-most-once tasks leave tombstones, unless
  /// they were dead-lettered: their ids may rightly return from the dead-letter topic (H8).
  void remove(InFlightTask task, boolean mayReturn) {
    boolean remembered = !mayReturn && task.activation.leavesTombstone();
    long usual = state.options.periods().tombstone();
    long until =
        remembered
            ? toldEnd(task)
                .in(
                    state.wall + task.activation.tombstoneMillis(usual),
                    task.activation.origin().keepsResult())
            : Row.NONE;
    FinishedTask finished = state.recorder.end(task, until, state.wall);
    state.transition(task, TaskEvent.COMPLETE);
    state.write(
        new Change.Delete(task.key, task.id(), task.activation.origin(), until, finished, task));
  }

  /// The end that a tombstone tells. Nobody asks for that of a task from Kafka, whose retries have
  /// ids of their own.
  private static TaskEnd toldEnd(InFlightTask task) {
    return task.activation.origin().partition() < 0 ? task.end : TaskEnd.UNKNOWN;
  }

  /// Applies the failure policy of a task that failed for good.
  void fail(InFlightTask task, String why) {
    if (task.cancelled) {
      cancel(task);
      return;
    }
    task.end = TaskEnd.FAILED;
    state.recorder.failed(task, why);
    if (task.activation.failurePolicy().deadLetters()) {
      state.event(EngineEvent.DEAD_LETTERED, task, why);
      forward(task, Status.FAILURE, null, state.deadLetter(task.activation, why));
    } else {
      state.event(EngineEvent.DISCARDED, task, why);
      complete(task);
    }
  }

  /// Ends an expired task (G5, W9).
  void expire(InFlightTask task) {
    task.end = TaskEnd.EXPIRED;
    state.recorder.failed(task, EXPIRED);
    state.event(EngineEvent.EXPIRED, task, "");
    if (task.activation.failurePolicy().deadLetters()) {
      forward(task, Status.FAILURE, null, state.deadLetter(task.activation, EXPIRED));
    } else {
      complete(task);
    }
  }

  /// Enqueues a runnable task; forwards it if its namespace is demoted.
  ///
  /// @param first true: reinsert in arrival order; false: append
  void makeReady(InFlightTask task, boolean first) {
    if (task.releasing) {
      return;
    }
    if (task.cancelled) {
      cancel(task);
      return;
    }
    Destination demotion = task.demotion;
    if (demotion == null) {
      if (state.pauses.hold(task.activation)) {
        state.hold(task);
      } else {
        state.enqueue(task, first);
      }
      return;
    }
    state.event(EngineEvent.DEMOTED_IN_FLIGHT, task, EngineState.namespaceAndTask(task.activation));
    forward(task, Status.FAILURE, null, demotion);
  }

  /// Retries a task as its worker reported: as a new activation, which is produced; one that did
  /// not come from Kafka in the store.
  ///
  /// @param maxAttempts maximum of attempts; negative if the worker leaves it at its decision
  /// @param delayOnRetry delay in seconds; negative for that of the retry policy
  void retry(InFlightTask task, long maxAttempts, long delayOnRetry) {
    if (task.activation.origin().partition() < 0) {
      long delay = Math.min(delayOnRetry, NextAttempt.MAX_DELAY_MS) * 1_000;
      NextAttempt.after(
              task.activation.payload(),
              maxAttempts < 0 ? Integer.MAX_VALUE : maxAttempts,
              delay,
              state.random)
          .ifPresentOrElse(next -> retryHere(task, next), () -> fail(task, "no attempt is left"));
      return;
    }
    Optional<Retries.Retry> retry =
        Retries.of(
            task.activation.payload(),
            task.id(),
            task.activation.priority(),
            maxAttempts,
            delayOnRetry,
            state.wall);
    if (retry.isEmpty()) {
      fail(task, "cannot be retried: its payload is not an activation");
      return;
    }
    state.event(EngineEvent.RETRIED, task.activation, "retry_id=" + retry.get().id());
    forward(task, Status.RETRY, retry.get().payload(), Destination.of(state.options.retryTopic()));
  }

  /// Replaces a task that failed by its next attempt, which waits in the store. Returns that.
  InFlightTask retryHere(InFlightTask task, NextAttempt next) {
    release(task);
    Activation activation = next.of(task.activation, state.wall);
    Status status = state.isEarly(activation) ? Status.DELAY : Status.PENDING;
    var attempt =
        new InFlightTask(task.key, activation, TaskState.of(status, Step.INSERTING), task.queue);
    attempt.storedAt = state.wall;
    attempt.committed = task.committed;
    attempt.attempt = InFlightTask.RETRIED;
    attempt.demotion = task.demotion;
    task.takeReplies().forEach(attempt::adopt);
    if (state.spans != null) {
      state.spans.replaced(task, attempt);
    }
    state.leaveWorker(task);
    state.transition(task, TaskEvent.EVICT);
    state.replace(task, attempt);
    state.recorder.step(
        attempt, TaskHistory.Step.RETRIED, state.wall, "attempt " + (next.attempts() + 1));
    state.event(EngineEvent.RETRIED, activation, "attempt=" + (next.attempts() + 1));
    Row row = Row.arriving(task.key, activation, status, state.wall);
    state.write(new Change.Retry(row, attempt));
    return attempt;
  }

  private void forward(
      InFlightTask task, Status status, byte @Nullable [] payload, Destination destination) {
    release(task);
    state.transition(
        task, status == Status.RETRY ? TaskEvent.FORWARD_RETRY : TaskEvent.FORWARD_FAILURE);
    task.destination = destination;
    state.recorder.step(task, TaskHistory.Step.FORWARDED, state.wall, destination.topic());
    state.holdOutgoing(task, payload);
    state.write(
        new Change.Forward(
            task.key, task.id(), task.activation.origin(), status, payload, destination, task));
  }

  /// Produces a task whose forward is durable: from here on it can only be produced.
  void produce(InFlightTask task) {
    if (task.step() != Step.FORWARDING) {
      return;
    }
    state.transition(task, TaskEvent.PRODUCE);
    byte[] payload = task.outgoingPayload;
    Destination destination = task.destination;
    if (destination == null) {
      throw new IllegalStateException(
          "Activation " + task.id() + " is forwarded without a destination");
    }
    state.outbox.produce(
        new OutboxRecord(
            task.id(),
            task.id(),
            payload == null ? task.activation.payload() : payload,
            destination,
            task));
  }

  void produced(OutboxRecord record) {
    if (record.owner() instanceof InFlightTask task && task.step() == Step.PRODUCING) {
      if (state.quarantined.isRetried(task)) {
        state.quarantined.ended(task, state.now, true);
      }
      boolean dead = task.status() == Status.FAILURE;
      state.follow(
          dead ? TaskLifecycle.PRODUCED : TaskLifecycle.RETRY_PRODUCED,
          task.activation,
          record.destination().topic());
      state.event(
          !dead
              ? EngineEvent.RETRY_PRODUCED
              : isDemotion(record)
                  ? EngineEvent.DEMOTION_PRODUCED
                  : EngineEvent.DEAD_LETTER_PRODUCED,
          task,
          "");
      complete(task, dead);
    }
  }

  void refused(OutboxRecord record, String why) {
    if (record.owner() instanceof InFlightTask task && task.step() == Step.PRODUCING) {
      state.transition(task, TaskEvent.REFUSED);
      InFlightTask kept = state.quarantine(task, record.payload().length, why);
      if (state.quarantined.isRetried(task)) {
        state.quarantined.ended(task, state.now, false);
      } else {
        if (isDemotion(record)) {
          state.event(EngineEvent.DEMOTION_REFUSED, task, "");
        }
        state.event(EngineEvent.QUARANTINED, task.activation, why);
      }
      if (state.duplicateIds.hasWaiting(task.id())) {
        endQuarantine(kept, true);
      }
    }
  }

  /// Whether a rule set the destination: only a rule names the cluster. The topic proves nothing:
  /// the dead-letter topic may have been renamed since the decision.
  private static boolean isDemotion(OutboxRecord record) {
    return !record.destination().cluster().isEmpty();
  }

  /// Removes a task from the quarantine and deletes its row: it was completed after all, its id
  /// arrives again, or an operator discards it.
  ///
  /// @param mayReturn whether its id may come again
  void endQuarantine(InFlightTask task, boolean mayReturn) {
    state.quarantined.remove(task);
    complete(task, mayReturn);
  }

  /// Removes a task from memory without a write, because its row belongs to another broker, or soon
  /// will. Callers that wait for it must ask again.
  void evict(InFlightTask task, String why) {
    release(task);
    for (Reply reply : task.takeReplies()) {
      reply.unavailable(why);
    }
    PendingEnqueue enqueued = task.enqueued;
    if (enqueued != null) {
      task.enqueued = null;
      enqueued.unavailable(why);
    }
    state.quarantined.remove(task);
    state.transition(task, TaskEvent.EVICT);
    state.remove(task);
  }

  /// Detaches the task from its queue, timer and channel.
  private void release(InFlightTask task) {
    state.detach(task);
    DeliveryChannel channel = task.channel;
    if (channel != null) {
      task.channel = null;
      channel.release();
    }
  }
}
