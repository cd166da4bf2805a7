package io.taskbroker.inflight;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Tasks in flight of one application, and the condition of its workers: the unit of isolation
/// (G8). Not thread-safe.
final class ApplicationQueue {
  /// Heap bytes of an application beside its tasks: 698 were measured, and 626 with compact object
  /// headers (`InFlightTaskBytesTest`).
  static final int OVERHEAD_BYTES = 720;

  final String application;
  final ParkedBacklog backlog;

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

  private final Map<String, ReadyQueue> queues = new LinkedHashMap<>();

  /// Order of the ready queues, kept while there is more than one.
  private final OldestFirstIndex order = new OldestFirstIndex();

  /// Order of the ready queues of all applications.
  private final OldestFirstIndex readyOfAll;

  ApplicationQueue(String application, @Nullable PushChannel push, OldestFirstIndex all, long now) {
    this.readyOfAll = all;
    this.application = application;
    this.push = push;
    if (push != null) {
      channels.add(push);
    }
    this.backlog = new ParkedBacklog(this);
    this.progressAt = now;
    this.arrivedAt = now;
  }

  /// @param back true: reinsert in arrival order; false: append
  void enqueue(InFlightTask task, boolean back) {
    ReadyQueue queue = queues.computeIfAbsent(task.activation.namespace(), _ -> new ReadyQueue());
    InFlightTask before = queue.first();
    if (back) {
      queue.addBack(task);
    } else {
      queue.addLast(task);
    }
    order(queue, before);
  }

  void dequeue(InFlightTask task) {
    ReadyQueue queue = task.readyQueue;
    if (queue != null) {
      InFlightTask before = queue.first();
      queue.remove(task);
      if (queue.first() == null) {
        queues.remove(task.activation.namespace());
      }
      order(queue, before);
    }
  }

  private void order(ReadyQueue changed, @Nullable InFlightTask before) {
    readyOfAll.changed(changed, before);
    if (queues.size() < 2) {
      order.clear();
    } else if (order.isEmpty()) {
      queues.values().forEach(queue -> order.changed(queue, null));
    } else {
      order.changed(changed, before);
    }
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
    return !queues.isEmpty();
  }

  /// The ready task that arrived first, of the namespace if one is given; null if there is none.
  @Nullable InFlightTask oldest(@Nullable String namespace) {
    if (namespace != null) {
      ReadyQueue queue = queues.get(namespace);
      return queue == null ? null : queue.first();
    }
    return order.isEmpty() ? firstOfOnly() : order.oldest();
  }

  private @Nullable InFlightTask firstOfOnly() {
    for (ReadyQueue queue : queues.values()) {
      return queue.first();
    }
    return null;
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
