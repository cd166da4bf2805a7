package io.taskbroker.inflight;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Tasks in flight of one application, and the condition of its workers: the unit of isolation
/// (G8). Not thread-safe.
final class ApplicationQueue {
  /// Heap bytes of an application beside its tasks: 770 were measured, and 690 with compact object
  /// headers (`InFlightTaskBytesTest`).
  static final int OVERHEAD_BYTES = 792;

  final String application;
  final ParkedBacklogs backlog;

  /// The channel of the workers that the broker calls; null if it calls none.
  final @Nullable PushChannel push;

  private final List<DeliveryChannel> channels = new ArrayList<>();

  /// The channel that gets the next task if several have credits.
  int turn;

  /// Tasks in memory, stored or not: runnable, with workers, and delayed.
  int pending;

  int handedOut;
  int delayed;

  /// Tasks that wait for their partition to return; they count in none of the above.
  int suspended;

  /// The unparked ones among the delayed tasks.
  int unparked;

  /// Activations that its workers accepted, and calls that they rejected.
  long accepted;

  long rejected;

  /// When a worker last died of an activation that it was called with alone, monotonic
  /// milliseconds.
  long diedAt = Long.MIN_VALUE;

  /// When a worker last accepted a task, and when a task last arrived, monotonic milliseconds.
  long progressAt;

  long arrivedAt;
  long noticedAt = Long.MIN_VALUE;

  /// Bytes of memory that its tasks take.
  long memoryBytes;

  /// When parked rows should be read, wall-clock milliseconds, as [ApplicationQueues] sorts them;
  /// [Long#MAX_VALUE] if never, or if there is no room for them.
  long readAt = Long.MAX_VALUE;

  /// Its ready tasks.
  final TaskPicker ready;

  ApplicationQueue(String application, @Nullable PushChannel push, TaskPicker ready, long now) {
    this.ready = ready;
    this.application = application;
    this.push = push;
    if (push != null) {
      channels.add(push);
    }
    this.backlog = new ParkedBacklogs(this);
    this.progressAt = now;
    this.arrivedAt = now;
  }

  /// Number of parked rows that memory has room for.
  int unparkRoom(int maxPending) {
    return maxPending - pending - unparked;
  }

  boolean isIdle() {
    return (channels.isEmpty() || push != null)
        && pending == 0
        && suspended == 0
        && handedOut == 0
        && delayed == 0
        && calls() == 0
        && !backlog.holdsAny();
  }

  private int calls() {
    return push == null ? 0 : push.calls();
  }

  boolean hasReady() {
    return !ready.isEmpty();
  }

  /// The channels that receive tasks of this application as soon as they have credits.
  List<DeliveryChannel> channels() {
    return channels;
  }

  /// Whether a channel waits for tasks.
  boolean isRoutable() {
    return !channels.isEmpty();
  }

  /// When pushing resumes after a failure; [Long#MAX_VALUE] if nothing waits for that.
  long pauseEnds(long now) {
    return push != null && hasReady() ? push.pauseEnds(now) : Long.MAX_VALUE;
  }

  void succeeded(long now) {
    if (push != null) {
      push.succeeded();
    }
    accepted++;
    progressAt = now;
  }

  /// Whether there is no other task to run beside one that a worker was called with.
  boolean hasNoOther() {
    return pending == 0 && calls() == 0 && !backlog.holdsAny();
  }
}
