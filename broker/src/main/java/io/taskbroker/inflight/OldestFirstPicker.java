package io.taskbroker.inflight;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Picks the task that arrived first: a FIFO for each namespace, and an index of their heads while
/// there are several. Not thread-safe.
final class OldestFirstPicker implements TaskPicker {
  private final Map<String, ReadyQueue> queues = new LinkedHashMap<>();

  /// Order of the ready queues, kept while there is more than one.
  private final OldestFirstIndex order = new OldestFirstIndex();

  /// Order of the ready queues of all applications.
  private final OldestFirstIndex readyOfAll;

  OldestFirstPicker(OldestFirstIndex all) {
    this.readyOfAll = all;
  }

  @Override
  public void add(InFlightTask task, boolean back) {
    ReadyQueue queue = queues.computeIfAbsent(task.activation.namespace(), _ -> new ReadyQueue());
    InFlightTask before = queue.first();
    if (back) {
      queue.addBack(task);
    } else {
      queue.addLast(task);
    }
    order(queue, before);
  }

  @Override
  public void remove(InFlightTask task) {
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

  @Override
  public boolean isEmpty() {
    return queues.isEmpty();
  }

  @Override
  public @Nullable InFlightTask next(@Nullable String namespace) {
    if (namespace != null) {
      ReadyQueue queue = queues.get(namespace);
      return queue == null ? null : queue.first();
    }
    return order.isEmpty() ? firstOfOnly() : order.oldest();
  }

  @Override
  public @Nullable InFlightTask oldest() {
    return next(null);
  }

  @Override
  public int position(InFlightTask task, int max) {
    ReadyQueue queue = task.readyQueue;
    return queue == null ? 0 : queue.position(task, max);
  }

  /// Number of ready tasks of a namespace.
  ///
  /// @param max where counting ends
  int count(String namespace, int max) {
    ReadyQueue queue = queues.get(namespace);
    int count = 0;
    for (InFlightTask task = queue == null ? null : queue.first();
        task != null && count < max;
        task = task.next) {
      count++;
    }
    return count;
  }

  private @Nullable InFlightTask firstOfOnly() {
    for (ReadyQueue queue : queues.values()) {
      return queue.first();
    }
    return null;
  }
}
