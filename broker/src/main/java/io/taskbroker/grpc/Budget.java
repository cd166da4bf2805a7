package io.taskbroker.grpc;

import java.util.concurrent.atomic.AtomicLong;

/// Memory budget of the whole server for one purpose, in bytes. A peer may hold as much as is left
/// free: one alone gets half, and others always find some (G7, G8). Thread-safe.
final class Budget {
  private final long limit;
  private final AtomicLong held = new AtomicLong();

  Budget(long limit) {
    this.limit = limit;
  }

  long limit() {
    return limit;
  }

  /// What all peers hold.
  long held() {
    return held.get();
  }

  /// Share of a peer that holds nothing yet.
  Share share() {
    return new Share();
  }

  /// What one peer holds. Thread-safe; what was found to have room may exceed it by what is taken
  /// next.
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
