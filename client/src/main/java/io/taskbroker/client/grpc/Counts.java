package io.taskbroker.client.grpc;

import io.taskbroker.client.WorkerCounts;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.ResultStatus;
import java.util.concurrent.atomic.LongAdder;

/// Counters of a worker since it started. Thread-safe.
public final class Counts {
  private final LongAdder completed = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder released = new LongAdder();
  private final LongAdder stale = new LongAdder();
  private final LongAdder connections = new LongAdder();

  void ended(Result result) {
    switch (result.getOutcomeCase()) {
      case COMPLETED -> completed.increment();
      case FAILED -> failed.increment();
      case RELEASED -> released.increment();
      case OUTCOME_NOT_SET -> throw new IllegalArgumentException("No outcome");
    }
  }

  void acknowledged(ResultStatus status) {
    if (status != ResultStatus.RESULT_STATUS_ACCEPTED) {
      stale.increment();
    }
  }

  void connected() {
    connections.increment();
  }

  /// The counts now.
  public WorkerCounts now() {
    return new WorkerCounts(
        completed.sum(), failed.sum(), released.sum(), stale.sum(), connections.sum());
  }
}
