package io.taskbroker.inflight;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What is in flight of one application, and how its workers do: the unit of isolation (G8). Not
/// thread-safe.
final class ApplicationQueue {
  /// What an application needs of the heap beside the entries of it, in bytes: 698 were measured,
  /// and 626 with compact object headers (`InFlightTaskBytesTest`).
  static final int OVERHEAD_BYTES = 720;

  final String application;
  final ParkedBacklog backlog;

  /// The channel of the workers that the broker calls; null if it calls none.
  final @Nullable PushChannel push;

  private final List<DeliveryChannel> channels = new ArrayList<>();

  /// Entries in memory that could run, stored or not, those that workers have, and those whose time
  /// is to come.
  int pending;

  int handedOut;
  int delayed;

  /// Entries that wait for their partition to return, which count as neither of these.
  int suspended;

  /// Those of the delayed that were parked and are read back.
  int unparked;

  /// How many activations its workers took, and how many calls they rejected.
  long accepted;

  long rejected;

  /// Monotonic milliseconds: when a worker last died of an activation that it was called with
  /// alone.
  long diedAt = Long.MIN_VALUE;

  /// Monotonic milliseconds: when a worker last took something, and when it last was given
  /// something to run.
  long progressAt;

  long arrivedAt;
  long noticedAt = Long.MIN_VALUE;

  /// Bytes of memory that its entries take.
  long memoryBytes;

  /// When parked rows are to be read, wall-clock milliseconds, as [EngineState] has it in its
  /// order; [Long#MAX_VALUE] if never, or if there is no room for them.
  long readAt = Long.MAX_VALUE;

  private final Map<String, ReadyQueue> queues = new LinkedHashMap<>();

  /// The order of the queues, kept while there is more than one.
  private final OldestFirstIndex order = new OldestFirstIndex();

  /// The order of the queues of all applications.
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

  /// @param back whether the entry was in the queue lately, and is to have its place again
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

  /// For how many parked rows there is room in memory.
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

  /// The entry that arrived first, of the namespace if one is given.
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

  /// The channels that tasks of this application are delivered by as soon as they have credits.
  List<DeliveryChannel> channels() {
    return channels;
  }

  /// Whether there is a channel that waits for tasks.
  boolean isRoutable() {
    return !channels.isEmpty();
  }

  /// When pushing goes on after a failure; [Long#MAX_VALUE] if nothing waits for that.
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

  /// Whether nothing but one activation that a worker was called with is there to run.
  boolean hasNoOther() {
    return pending == 0 && calls() == 0 && !backlog.holdsAny();
  }
}
