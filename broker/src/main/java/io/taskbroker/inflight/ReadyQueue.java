package io.taskbroker.inflight;

import org.jspecify.annotations.Nullable;

/// Runnable entries of one application and namespace, first in, first out; an entry can leave from
/// the middle. Linked through the entries. Not thread-safe.
final class ReadyQueue {
  private @Nullable Entry first;
  private @Nullable Entry last;

  @Nullable Entry first() {
    return first;
  }

  void addLast(Entry entry) {
    entry.queue = this;
    entry.previous = last;
    entry.next = null;
    if (last == null) {
      first = entry;
    } else {
      last.next = entry;
    }
    last = entry;
  }

  /// Puts an entry back where it was: before the first that arrived after it. What is before that
  /// are others that were given back, as many as calls failed at a time.
  void addBack(Entry entry) {
    Entry before = null;
    Entry after = first;
    while (after != null && after.key < entry.key) {
      before = after;
      after = after.next;
    }
    entry.queue = this;
    entry.previous = before;
    entry.next = after;
    if (before == null) {
      first = entry;
    } else {
      before.next = entry;
    }
    if (after == null) {
      last = entry;
    } else {
      after.previous = entry;
    }
  }

  void remove(Entry entry) {
    Entry before = entry.previous;
    Entry after = entry.next;
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previous = before;
    }
    entry.queue = null;
    entry.previous = null;
    entry.next = null;
  }
}
