package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Retries;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How activations end: completed, discarded, retried, dead-lettered. What leaves is decided
/// durably before it is produced, and acknowledged before it is forgotten (G4, H7). Not
/// thread-safe.
final class TaskCompletion {
  /// Why a dead letter is one whose time was over.
  static final String EXPIRED = "it expired";

  private final EngineState state;

  TaskCompletion(EngineState state) {
    this.state = state;
  }

  /// It is done: its row goes.
  void complete(InFlightTask task) {
    complete(task, false);
  }

  private void complete(InFlightTask task, boolean mayReturn) {
    release(task);
    remove(task, mayReturn);
  }

  /// Removes a parked row, of which no more is in memory than this. Until the row is gone the entry
  /// stands for it, as for any row on its way out.
  ///
  /// @param remembered whether its id leaves a tombstone (H8)
  InFlightTask removeParked(PartitionKey partitionKey, long key, String id, boolean remembered) {
    var unknown =
        new Activation(
            id,
            "",
            "",
            "",
            new byte[0],
            partitionKey.origin(),
            state.wall,
            Activation.NEVER,
            0,
            0,
            FailurePolicy.UNSPECIFIED,
            false,
            remembered);
    var task = new InFlightTask(key, unknown, TaskState.COMPLETED, state.queues.nobody);
    boolean _ = state.join(task);
    remove(task, false);
    return task;
  }

  /// Removes the row of an entry that is complete. The ids of retries and of what may run only once
  /// are remembered, unless they left for the dead-letter topic, from where they may rightly return
  /// (H8).
  void remove(InFlightTask task, boolean mayReturn) {
    state.transition(task, TaskEvent.COMPLETE);
    boolean remembered = !mayReturn && task.activation.leavesTombstone();
    long until = remembered ? state.wall + state.options.periods().tombstone() : Row.NONE;
    state.write(new Change.Delete(task.key, task.id(), task.activation.origin(), until, task));
  }

  /// It failed for good, and meets its failure policy.
  void fail(InFlightTask task, String why) {
    if (task.activation.failurePolicy().deadLetters()) {
      state.tally(Tally.DEAD_LETTERED, task);
      state.effects.notice(Notice.DEAD_LETTERED, task.activation, why);
      forward(task, Status.FAILURE, null, state.deadLetter(task.activation, why));
    } else {
      state.tally(Tally.DISCARDED, task);
      state.effects.notice(Notice.DISCARDED, task.activation, why);
      complete(task);
    }
  }

  /// Its time is over (G5, W9).
  void expire(InFlightTask task) {
    state.tally(Tally.EXPIRED, task);
    state.effects.notice(Notice.EXPIRED, task.activation, "");
    if (task.activation.failurePolicy().deadLetters()) {
      forward(task, Status.FAILURE, null, state.deadLetter(task.activation, EXPIRED));
    } else {
      complete(task);
    }
  }

  /// It could run now, and is put into its queue; if its namespace is demoted, it leaves instead.
  ///
  /// @param first whether it goes before the others
  void makeReady(InFlightTask task, boolean first) {
    if (task.releasing) {
      return;
    }
    Destination demotion = task.demotion;
    if (demotion == null) {
      state.enqueue(task, first);
      return;
    }
    state.tally(Tally.DEMOTED_IN_FLIGHT, task);
    state.effects.notice(
        Notice.DEMOTED_IN_FLIGHT, task.activation, Notice.namespaceAndTask(task.activation));
    forward(task, Status.FAILURE, null, demotion);
  }

  /// It is to run again, as a new activation.
  void retry(InFlightTask task, long maxAttempts, long delayOnRetry) {
    Optional<Retries.Retry> retry =
        Retries.of(task.activation.payload(), task.id(), maxAttempts, delayOnRetry, state.wall);
    if (retry.isEmpty()) {
      fail(task, "cannot be retried: its payload is not an activation");
      return;
    }
    state.effects.notice(Notice.RETRIED, task.activation, "retry_id=" + retry.get().id());
    forward(task, Status.RETRY, retry.get().payload(), Destination.of(state.options.retryTopic()));
  }

  private void forward(
      InFlightTask task, Status status, byte @Nullable [] payload, Destination destination) {
    release(task);
    state.transition(
        task, status == Status.RETRY ? TaskEvent.FORWARD_RETRY : TaskEvent.FORWARD_FAILURE);
    task.destination = destination;
    state.holdOutgoing(task, payload);
    state.write(
        new Change.Forward(
            task.key, task.id(), task.activation.origin(), status, payload, destination, task));
  }

  /// The decision is durable: from here on it can only leave.
  void produce(InFlightTask task) {
    if (task.step() != Step.FORWARDING) {
      return;
    }
    state.transition(task, TaskEvent.PRODUCE);
    byte[] departing = task.outgoingPayload;
    Destination destination = task.destination;
    if (destination == null) {
      throw new IllegalStateException("Activation " + task.id() + " leaves for nowhere");
    }
    state.effects.produce(
        new OutboxRecord(
            task.id(),
            task.id(),
            departing == null ? task.activation.payload() : departing,
            destination,
            task));
  }

  void produced(OutboxRecord record) {
    if (record.owner() instanceof InFlightTask task && task.step() == Step.PRODUCING) {
      if (state.quarantined.isTried(task)) {
        state.quarantined.over(task, state.now, true);
      }
      boolean dead = task.status() == Status.FAILURE;
      state.follow(
          dead ? TaskLifecycle.PRODUCED : TaskLifecycle.RETRY_PRODUCED,
          task.activation,
          record.destination().topic());
      state.tally(
          !dead
              ? Tally.RETRY_PRODUCED
              : isDemotion(record) ? Tally.DEMOTION_PRODUCED : Tally.DEAD_LETTER_PRODUCED,
          task);
      complete(task, dead);
    }
  }

  void refused(OutboxRecord record, String why) {
    if (record.owner() instanceof InFlightTask task && task.step() == Step.PRODUCING) {
      state.transition(task, TaskEvent.REFUSED);
      InFlightTask kept = state.quarantine(task, record.payload().length, why);
      if (state.quarantined.isTried(task)) {
        state.quarantined.over(task, state.now, false);
      } else {
        if (isDemotion(record)) {
          state.tally(Tally.DEMOTION_REFUSED, task);
        }
        state.effects.notice(Notice.QUARANTINED, task.activation, why);
      }
      if (state.duplicateIds.waitFor(task.id())) {
        endQuarantine(kept, true);
      }
    }
  }

  /// Only a rule names the cluster. The topic says nothing: that of dead letters may have another
  /// name since the decision.
  private static boolean isDemotion(OutboxRecord record) {
    return !record.destination().cluster().isEmpty();
  }

  /// Gives up what cannot be produced: it was completed after all, or comes again, or an operator
  /// discards it.
  ///
  /// @param mayReturn whether its id may come again
  void endQuarantine(InFlightTask task, boolean mayReturn) {
    state.quarantined.remove(task);
    complete(task, mayReturn);
  }

  /// Forgets an entry whose row is another broker's now, or is to be; nothing is written. Whoever
  /// waits for it is to ask again.
  void evict(InFlightTask task, String why) {
    release(task);
    for (Reply reply : task.takeWaiting()) {
      reply.unavailable(why);
    }
    Command.EnqueueReply enqueued = task.enqueued;
    if (enqueued != null) {
      task.enqueued = null;
      enqueued.unavailable(why);
    }
    state.quarantined.remove(task);
    state.transition(task, TaskEvent.EVICT);
    state.remove(task);
  }

  /// Takes the entry from whoever has it or waits for it.
  private void release(InFlightTask task) {
    state.detach(task);
    DeliveryChannel channel = task.channel;
    if (channel != null) {
      task.channel = null;
      channel.release(state.effects);
    }
  }
}
