package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.DeliveredTask;
import io.taskbroker.inflight.api.TaskEnd;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Activation in memory, with its state. Owned by the engine.
final class InFlightTask implements DeliveredTask {
  /// Heap bytes of a task beside its payload and strings: itself, its activation, the objects of
  /// both, and its slots in the id index, a queue and the timers. The measured maximum is 367, and
  /// 327 with compact object headers (`InFlightTaskBytesTest`); just above a power of two it may be
  /// 10 more, and 32 more after a failed delivery.
  static final int OVERHEAD_BYTES = 400;

  /// Memory that the quarantine takes beside a task.
  private static final int QUARANTINE_BYTES = 400;

  /// Number of the last delivery of a task that failed since: no token has it, so that no result of
  /// that delivery counts again.
  static final long RETRIED = -1;

  final long key;

  /// Replaced only if an operator changes its delay or its priority.
  Activation activation;

  final ApplicationQueue queue;

  /// When it was admitted, milliseconds since the epoch; 0 if unknown.
  long storedAt;

  /// Counters of its name; null until it is counted.
  @Nullable TaskCounter counter;

  private TaskState state;
  int attempts;
  int deliveries;

  /// Number of its last delivery among all of this process, see [AttemptToken]; 0 if this process
  /// has not delivered it.
  long attempt;

  /// Monotonic times in milliseconds.
  long claimedAt;

  long deadline;
  long statusWriteDue;
  long statusWrittenAt;
  boolean inStatusWriteQueue;

  /// Whether the row on disk says that a worker has, or may have, the activation.
  boolean statusWritten;

  /// Whether a worker may have received it in an earlier delivery, or from the previous broker
  /// process: a `Failure` or `Retry` of such a delivery takes effect while it waits to run again
  /// (G2, H18).
  boolean mayHaveRun;

  /// Status updates and offset confirmations that are not durable yet. They become durable in
  /// order, so at 0 the last of them is durable.
  int pendingWrites;

  /// Set for a row that was read back from disk because it is due soon.
  boolean unparked;

  boolean deadlineExtended;
  boolean committed;

  /// Set while the partition is not assigned here: the task does not count against the limits of
  /// its application, since it may wait forever
  boolean suspended;

  /// Counted bytes of memory; 0 if not counted.
  long countedBytes;

  /// Whether a worker is being called with it.
  boolean inCall;

  /// Whether its partition is being released: it is not delivered any more (H17).
  boolean releasing;

  /// Failed deliveries since a worker last took it; null if there are none.
  @Nullable DeliveryFailures failures;

  /// Forwarded there as soon as it is runnable, because its namespace is demoted.
  @Nullable Destination demotion;

  @Nullable Destination destination;
  byte @Nullable [] outgoingPayload;

  /// The channel that delivers an at-most-once task once its status is durable.
  @Nullable DeliveryChannel channel;

  /// How it ends, once that is decided.
  TaskEnd end = TaskEnd.UNKNOWN;

  /// Whether a client cancelled it while a worker had it: it does not run again.
  boolean cancelled;

  /// The stream of the worker that has it; null if it has no stream.
  @Nullable WorkerStream stream;

  /// What its worker said last about its last delivery; may be empty.
  String progress = "";

  /// Whether its worker is gone: what passes next is not the processing deadline. And whether it
  /// had no other task.
  boolean workerLost;

  boolean lostAlone;

  /// Token by which a worker named it last, while this process has not delivered it; null if none
  /// did.
  @Nullable AttemptToken named;

  /// Its record; null if it has none.
  @Nullable TaskRecord record;

  /// The enqueue that waits for it to be durable.
  @Nullable PendingEnqueue enqueued;

  private List<Reply> replies = List.of(); // an ArrayList if more than one

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

  @Override
  public Activation activation() {
    return activation;
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

  /// Moves to the next state. Only [EngineState#transition] may call it: that updates the counters.
  ///
  /// @throws IllegalStateException if the event cannot happen in this state
  void apply(TaskEvent event) {
    TaskState next = state.after(event);
    if (next == null) {
      throw new IllegalStateException(
          "Activation " + id() + ": event " + event + " cannot happen in state " + state);
    }
    state = next;
  }

  boolean isForwarding() {
    return state.isForwarding();
  }

  /// Whether the task is being forwarded or deleted. Another record of the same id waits for its
  /// end (H4).
  boolean isEnding() {
    return isForwarding() || state == TaskState.DELETING;
  }

  /// Whether a worker must get this task alone, because workers died of it (G8): from the second
  /// loss on, or from the first one if the task missed a deadline or killed a worker before.
  boolean isSuspect() {
    DeliveryFailures failed = failures;
    return failed != null && failed.losses > 0 && failed.losses + attempts > 1;
  }

  /// Its failed deliveries, to add one.
  DeliveryFailures failures() {
    DeliveryFailures failed = failures;
    if (failed == null) {
      failed = new DeliveryFailures();
      failures = failed;
    }
    return failed;
  }

  boolean awaitsOffsetCommit() {
    return activation.atMostOnce() && !committed;
  }

  void await(Reply reply) {
    reply.await();
    if (replies.isEmpty()) {
      replies = List.of(reply);
      return;
    }
    if (replies.size() == 1) {
      replies = new ArrayList<>(replies);
    }
    replies.add(reply);
  }

  /// Takes over a reply that waits for the task that this one replaces.
  void adopt(Reply reply) {
    await(reply);
    var _ = reply.settle();
  }

  /// Removes and returns the replies that wait for a decision on this activation to be durable.
  List<Reply> takeReplies() {
    List<Reply> taken = replies;
    replies = List.of();
    return taken;
  }

  /// Bytes of memory that it takes (G7). Its names count in full, although most are shared: names
  /// that do not recur are not.
  long bytes() {
    return (long) OVERHEAD_BYTES
        + activation.payload().length
        + activation.id().length()
        + activation.application().length()
        + activation.namespace().length()
        + activation.taskname().length()
        + progress.length()
        + (outgoingPayload == null ? 0 : outgoingPayload.length)
        + (record == null ? 0 : TaskRecord.BYTES + record.message.length())
        + (step() == TaskState.Step.QUARANTINED ? QUARANTINE_BYTES : 0)
        + (destination == null ? 0 : destination.headerLength());
  }

  Change.UpdateStatus statusUpdate(long claimExpiresAt, long processingDeadline) {
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

  /// Status update of a task that a worker has. That of a stream leaves no deadline in the row: if
  /// the broker restarts, the worker names the task, or is lost.
  ///
  /// @param deadline wall-clock milliseconds
  Change.UpdateStatus processingUpdate(long deadline) {
    return statusUpdate(Row.NONE, stream != null || workerLost ? Row.NONE : deadline);
  }

  Change.UpdateStatus idleStatusUpdate() {
    return statusUpdate(Row.NONE, Row.NONE);
  }
}
