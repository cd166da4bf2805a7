package io.taskbroker.grpc;

import java.util.concurrent.atomic.AtomicLong;

/// Server-wide memory budget for one purpose, in bytes. A peer may hold as much as is still free: a
/// single peer gets half, and others always find some (G7, G8). Thread-safe.
final class Budget {
  private final long limit;
  private final AtomicLong held = new AtomicLong();

  Budget(long limit) {
    this.limit = limit;
  }

  long limit() {
    return limit;
  }

  /// Bytes held by all peers.
  long held() {
    return held.get();
  }

  /// Share of a new peer.
  Share share() {
    return new Share();
  }

  /// Bytes held by one peer. Thread-safe; a take after a successful [#hasRoom] may exceed the limit
  /// by its own size.
  final class Share {
    private final AtomicLong own = new AtomicLong();

    boolean hasRoom() {
      return own.get() < limit - held.get();
    }

    void take(long bytes) {
      own.addAndGet(bytes);
      held.addAndGet(bytes);
    }

    void give(long bytes) {
      own.addAndGet(-bytes);
      held.addAndGet(-bytes);
    }
  }
}
