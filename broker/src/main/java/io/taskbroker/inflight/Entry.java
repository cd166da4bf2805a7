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
final class Entry {
  /// What is under way with the store or the outbox.
  enum Step {
    /// The insert is not durable yet.
    STORING,
    /// Memory and disk agree, lazy marks apart.
    STORED,
    /// It will be handed out when its mark is durable (G3).
    MARKING,
    /// Its departure is decided, not yet durable.
    LEAVING,
    /// The outbox has it: it can only leave (H7).
    PRODUCING,
    /// Kafka refused it, and is asked again now and then (H19).
    QUARANTINED,
    /// The delete is not durable yet.
    REMOVING,
    /// It is in memory no more; whoever still has it leaves it alone.
    GONE
  }

  /// What an entry needs of the heap beside its payload and its texts, in bytes: itself, its
  /// activation, the objects of both, and its places in the index of ids, in a queue and among the
  /// timers. The most that was measured is 375, and 335 with compact object headers
  /// (`EntryBytesTest`); what follows a power of two may be 10 more.
  static final int OVERHEAD_BYTES = 400;

  final long key;
  final Activation activation;
  final Lane lane;

  /// What it is counted in by its name; null until it is.
  @Nullable TaskAccount account;

  Status status;
  Step step = Step.STORING;
  int attempts;
  int deliveries;

  /// Monotonic times in milliseconds.
  long claimedAt;

  long deadline;
  long markDue;
  long markedAt;
  boolean inMarkQueue;

  /// Whether the mark on disk says that a worker has, or may have, the activation.
  boolean marked;

  /// Whether a worker may have got it in a delivery that is over, or in the life of the broker
  /// before this one: a `Failure` or `Retry` of such a delivery takes effect while it waits to run
  /// again (G2, H18).
  boolean mayHaveRun;

  /// Marks and proofs that are not durable yet. They become so in order, so that the last of them
  /// is durable when there is none left.
  int marksUnderWay;

  /// Whether it was parked and is read back: it is soon to run.
  boolean recalled;

  boolean deadlineExtended;
  boolean committed;

  /// Whether it waits for a partition to return, perhaps for ever, and takes no room from others.
  boolean aside;

  /// The bytes of memory that are counted of it; 0 if they are not.
  long countedBytes;

  /// Whether a worker is being called with it.
  boolean inCall;

  /// Whether its place is given up: it is not handed out any more (H17).
  boolean givenUp;

  /// How often a worker refused it, left it unanswered, or was lost with it, since it was last
  /// taken.
  short refusals;

  short silences;
  short losses;

  /// What its lane had accepted, and rejected, when it was refused first, and what the lane had
  /// accepted when it was lost last; the lower bits of these counts.
  int acceptedAtRefusal;

  int rejectedAtRefusal;
  int acceptedAtLoss;

  /// Where it goes as soon as it could run, because its namespace is demoted.
  @Nullable Destination demotion;

  @Nullable Destination destination;
  byte @Nullable [] departing;

  /// Who waits for the mark of an at-most-once activation to be handed it.
  @Nullable Taker taker;

  /// Who enqueued it, and waits for it to be durable.
  Command.@Nullable EnqueueReply enqueued;

  private List<Reply> waiting = List.of(); // of more than one an ArrayList

  /// For [Timers] and [ReadyQueue].
  long wakeAt;

  int heapIndex = -1;
  @Nullable ReadyQueue queue;
  @Nullable Entry next;
  @Nullable Entry previous;

  Entry(long key, Activation activation, Status status, Lane lane) {
    this.key = key;
    this.activation = activation;
    this.status = status;
    this.lane = lane;
  }

  String id() {
    return activation.id();
  }

  /// Takes the next status.
  void become(Status next) {
    if (!status.canBecome(next)) {
      throw new IllegalStateException(
          "Activation " + id() + " cannot become " + next + " from " + status);
    }
    status = next;
  }

  boolean isLeaving() {
    return step == Step.LEAVING || step == Step.PRODUCING || step == Step.QUARANTINED;
  }

  /// Whether its row cannot come back to life, so that another record of the same id has to wait
  /// for its end (H4).
  boolean isGoing() {
    return isLeaving() || step == Step.REMOVING;
  }

  /// Whether it is called for alone, since workers were lost with it (G8): after the second loss,
  /// or after the first if it had let a deadline pass or a worker had died of it before.
  boolean isSuspect() {
    return losses > 0 && losses + attempts > 1;
  }

  boolean isUnproven() {
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
        + (departing == null ? 0 : departing.length)
        + (destination == null ? 0 : destination.headerLength());
  }

  Change.Mark mark(long claimExpiresAt, long processingDeadline) {
    return new Change.Mark(
        key,
        id(),
        activation.origin(),
        status,
        attempts,
        claimExpiresAt,
        processingDeadline,
        deadlineExtended,
        committed,
        this);
  }

  Change.Mark markIdle() {
    return mark(Row.NONE, Row.NONE);
  }
}
