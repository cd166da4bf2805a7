package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One activation in memory. Owned by the engine.
final class InFlightTask {
  /// What an entry needs of the heap beside its payload and its texts, in bytes: itself, its
  /// activation, the objects of both, and its places in the index of ids, in a queue and among the
  /// timers. The most that was measured is 375, and 335 with compact object headers
  /// (`InFlightTaskBytesTest`); what follows a power of two may be 10 more.
  static final int OVERHEAD_BYTES = 400;

  final long key;
  final Activation activation;
  final ApplicationQueue queue;

  /// The counters of its name; null until it is counted.
  @Nullable TaskCounter account;

  private TaskState state;
  int attempts;
  int deliveries;

  /// Monotonic times in milliseconds.
  long claimedAt;

  long deadline;
  long statusWriteDue;
  long statusWrittenAt;
  boolean inStatusWriteQueue;

  /// Whether the mark on disk says that a worker has, or may have, the activation.
  boolean statusWritten;

  /// Whether a worker may have got it in a delivery that is over, or in the life of the broker
  /// before this one: a `Failure` or `Retry` of such a delivery takes effect while it waits to run
  /// again (G2, H18).
  boolean mayHaveRun;

  /// Marks and proofs that are not durable yet. They become so in order, so that the last of them
  /// is durable when there is none left.
  int pendingWrites;

  /// Whether it was parked and is read back: it is soon to run.
  boolean unparked;

  boolean deadlineExtended;
  boolean committed;

  /// Whether it waits for a partition to return, perhaps for ever, and takes no room from others.
  boolean suspended;

  /// The bytes of memory that are counted of it; 0 if they are not.
  long countedBytes;

  /// Whether a worker is being called with it.
  boolean inCall;

  /// Whether its place is given up: it is not handed out any more (H17).
  boolean releasing;

  /// How often a worker refused it, left it unanswered, or was lost with it, since it was last
  /// taken.
  short refusals;

  short unanswered;
  short losses;

  /// What its lane had accepted, and rejected, when it was refused first, and what the lane had
  /// accepted when it was lost last; the lower bits of these counts.
  int acceptedAtRefusal;

  int rejectedAtRefusal;
  int acceptedAtLoss;

  /// Where it goes as soon as it could run, because its namespace is demoted.
  @Nullable Destination demotion;

  @Nullable Destination destination;
  byte @Nullable [] outgoingPayload;

  /// The channel that delivers an at-most-once task once its status is durable.
  @Nullable DeliveryChannel channel;

  /// Who enqueued it, and waits for it to be durable.
  Command.@Nullable EnqueueReply enqueued;

  private List<Reply> waiting = List.of(); // of more than one an ArrayList

  /// For [Timers] and [ReadyQueue].
  long wakeAt;

  int heapIndex = -1;
  @Nullable ReadyQueue readyQueue;
  @Nullable InFlightTask next;
  @Nullable InFlightTask previous;

  InFlightTask(long key, Activation activation, TaskState state, ApplicationQueue queue) {
    this.key = key;
    this.activation = activation;
    this.state = state;
    this.queue = queue;
  }

  String id() {
    return activation.id();
  }

  Status status() {
    return state.status;
  }

  TaskState.Step step() {
    return state.step;
  }

  TaskState state() {
    return state;
  }

  /// Moves on by an event. Called by [EngineState#transition] only, which keeps the accounts.
  ///
  /// @throws IllegalStateException if the event cannot happen in this state
  void apply(TaskEvent event) {
    TaskState next = state.after(event);
    if (next == null) {
      throw new IllegalStateException(
          "Activation " + id() + " is " + state + ", where " + event + " cannot happen");
    }
    state = next;
  }

  boolean isForwarding() {
    return state.isForwarding();
  }

  /// Whether its row cannot come back to life, so that another record of the same id has to wait
  /// for its end (H4).
  boolean isGoing() {
    return isForwarding() || state == TaskState.DELETING;
  }

  /// Whether it is called for alone, since workers were lost with it (G8): after the second loss,
  /// or after the first if it had let a deadline pass or a worker had died of it before.
  boolean isSuspect() {
    return losses > 0 && losses + attempts > 1;
  }

  boolean awaitsOffsetCommit() {
    return activation.atMostOnce() && !committed;
  }

  void await(Reply reply) {
    reply.await();
    if (waiting.isEmpty()) {
      waiting = List.of(reply);
      return;
    }
    if (waiting.size() == 1) {
      waiting = new ArrayList<>(waiting);
    }
    waiting.add(reply);
  }

  /// Takes whoever waits for what was decided of this activation to be durable.
  List<Reply> takeWaiting() {
    List<Reply> taken = waiting;
    waiting = List.of();
    return taken;
  }

  /// The bytes of memory that it takes (G7). Names count for each, although most of them are
  /// shared: those that do not recur are not.
  long bytes() {
    return (long) OVERHEAD_BYTES
        + activation.payload().length
        + activation.id().length()
        + activation.application().length()
        + activation.namespace().length()
        + activation.taskname().length()
        + (outgoingPayload == null ? 0 : outgoingPayload.length)
        + (destination == null ? 0 : destination.headerLength());
  }

  Change.UpdateStatus mark(long claimExpiresAt, long processingDeadline) {
    return new Change.UpdateStatus(
        key,
        id(),
        activation.origin(),
        state.status,
        attempts,
        claimExpiresAt,
        processingDeadline,
        deadlineExtended,
        committed,
        this);
  }

  Change.UpdateStatus markIdle() {
    return mark(Row.NONE, Row.NONE);
  }
}
