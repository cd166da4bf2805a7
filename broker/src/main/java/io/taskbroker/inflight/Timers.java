package io.taskbroker.inflight;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The entries that have something to do at a time: a binary heap that knows each entry's place in
/// it, so that setting and cancelling leave nothing behind. An entry has one time at most; of those
/// with the same time the oldest is the first. Not thread-safe.
final class Timers {
  private @Nullable Entry[] heap = new @Nullable Entry[1024];
  private int size;

  /// Sets, or moves, the time at which the entry is to wake.
  void set(Entry entry, long wakeAt) {
    if (entry.heapIndex < 0) {
      if (size == heap.length) {
        heap = Arrays.copyOf(heap, size * 2);
      }
      entry.heapIndex = size;
      heap[size++] = entry;
      entry.wakeAt = wakeAt;
      up(entry);
    } else {
      long before = entry.wakeAt;
      entry.wakeAt = wakeAt;
      if (wakeAt < before) {
        up(entry);
      } else {
        down(entry);
      }
    }
  }

  void cancel(Entry entry) {
    int hole = entry.heapIndex;
    if (hole < 0) {
      return;
    }
    entry.heapIndex = -1;
    Entry last = at(--size);
    heap[size] = null;
    if (last != entry) {
      heap[hole] = last;
      last.heapIndex = hole;
      up(last);
      down(last);
    }
  }

  /// Takes out the first entry that is to wake at `now` or before; null if there is none.
  @Nullable Entry poll(long now) {
    if (size == 0 || at(0).wakeAt > now) {
      return null;
    }
    Entry first = at(0);
    cancel(first);
    return first;
  }

  /// When the first entry wakes; [Long#MAX_VALUE] if none does.
  long next() {
    return size == 0 ? Long.MAX_VALUE : at(0).wakeAt;
  }

  private void up(Entry entry) {
    int index = entry.heapIndex;
    while (index > 0) {
      int parent = (index - 1) >>> 1;
      if (isBefore(at(parent), entry)) {
        break;
      }
      place(at(parent), index);
      index = parent;
    }
    place(entry, index);
  }

  private void down(Entry entry) {
    int index = entry.heapIndex;
    while (true) {
      int child = 2 * index + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && isBefore(at(child + 1), at(child))) {
        child++;
      }
      if (isBefore(entry, at(child))) {
        break;
      }
      place(at(child), index);
      index = child;
    }
    place(entry, index);
  }

  private static boolean isBefore(Entry one, Entry other) {
    return one.wakeAt < other.wakeAt || (one.wakeAt == other.wakeAt && one.key < other.key);
  }

  private void place(Entry entry, int index) {
    heap[index] = entry;
    entry.heapIndex = index;
  }

  @SuppressWarnings("NullAway") // the heap is full up to its size
  private Entry at(int index) {
    return heap[index];
  }
}
