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

  void addFirst(Entry entry) {
    entry.queue = this;
    entry.previous = null;
    entry.next = first;
    if (first == null) {
      last = entry;
    } else {
      first.previous = entry;
    }
    first = entry;
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
