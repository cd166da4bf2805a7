package io.taskbroker.client.grpc;

import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.ResultStatus;
import java.util.concurrent.atomic.LongAdder;

/// What a worker has done since it started. Thread-safe.
public final class WorkerCounts {
  public final LongAdder completed = new LongAdder();
  public final LongAdder failed = new LongAdder();
  public final LongAdder released = new LongAdder();

  /// Results without effect: the task was delivered again, or ended otherwise.
  public final LongAdder stale = new LongAdder();

  /// Connections to brokers that were made.
  public final LongAdder connections = new LongAdder();

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
}
