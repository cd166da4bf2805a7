package io.taskbroker.client.grpc;

import io.grpc.stub.StreamObserver;
import io.taskbroker.client.spi.Attempt;
import io.taskbroker.proto.v1.ConsumerServiceGrpc.ConsumerServiceStub;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.Result;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reports of a worker of the compatible contract: one request at a time, with all that waits,
/// repeated until the broker takes it. Thread-safe.
///
/// The contract has no way to give a task back: its deadline passes, then it runs elsewhere.
final class ContractReports {
  private static final Logger log = LoggerFactory.getLogger(ContractReports.class);
  private static final int MAX_REPORTS = 1_000;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private final ConsumerServiceStub broker;
  private final ScheduledExecutorService timer;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<SetTaskStatusRequest> waiting = new ArrayDeque<>();
  private final Backoff backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
  private boolean sending;
  private boolean closed;

  ContractReports(ConsumerServiceStub broker, ScheduledExecutorService timer) {
    this.broker = broker;
    this.timer = timer;
  }

  void add(Attempt attempt, Result result) {
    if (result.hasReleased()) {
      return;
    }
    lock.lock();
    try {
      waiting.addLast(report(attempt, result));
    } finally {
      lock.unlock();
    }
    send();
  }

  private static SetTaskStatusRequest report(Attempt attempt, Result result) {
    SetTaskStatusRequest.Builder report = SetTaskStatusRequest.newBuilder().setId(result.getId());
    if (result.hasCompleted()) {
      return report.setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE).build();
    }
    Failed failed = result.getFailed();
    if (failed.getFinal() || attempt.isLastAttempt()) {
      return report.setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_FAILURE).build();
    }
    report.setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_RETRY);
    if (failed.hasRetryAfterMs()) {
      report.setDelayOnRetry(Math.ceilDiv(failed.getRetryAfterMs(), 1_000L));
    }
    return report.build();
  }

  private void send() {
    List<SetTaskStatusRequest> batch = new ArrayList<>();
    lock.lock();
    try {
      if (sending || closed || waiting.isEmpty()) {
        return;
      }
      sending = true;
      while (!waiting.isEmpty() && batch.size() < MAX_REPORTS) {
        batch.add(waiting.removeFirst());
      }
    } finally {
      lock.unlock();
    }
    broker
        .withDeadlineAfter(30, TimeUnit.SECONDS)
        .setBatchActivationStatus(
            SetBatchActivationStatusRequest.newBuilder().addAllUpdates(batch).build(),
            new Answer(batch));
  }

  private final class Answer implements StreamObserver<SetBatchActivationStatusResponse> {
    private final List<SetTaskStatusRequest> batch;

    Answer(List<SetTaskStatusRequest> batch) {
      this.batch = batch;
    }

    @Override
    public void onNext(SetBatchActivationStatusResponse value) {}

    @Override
    public void onError(Throwable error) {
      if (Errors.isTransient(error)) {
        again(batch);
      } else {
        log.error("The broker refused {} reports for good; dropping them", batch.size(), error);
        done();
      }
    }

    @Override
    public void onCompleted() {
      done();
    }
  }

  private void done() {
    lock.lock();
    try {
      sending = false;
      backoff.reset();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    send();
  }

  private void again(List<SetTaskStatusRequest> batch) {
    lock.lock();
    try {
      for (SetTaskStatusRequest each : batch.reversed()) {
        waiting.addFirst(each);
      }
      var unused = timer.schedule(this::resume, backoff.next(), TimeUnit.NANOSECONDS);
    } finally {
      lock.unlock();
    }
  }

  private void resume() {
    lock.lock();
    try {
      sending = false;
    } finally {
      lock.unlock();
    }
    send();
  }

  /// Waits until the broker has taken all reports.
  void close(Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (left > 0 && (sending || !waiting.isEmpty())) {
        left = changed.awaitNanos(left);
      }
      closed = true;
      if (!waiting.isEmpty()) {
        log.warn("Stopped before the broker had taken {} reports", waiting.size());
      }
    } finally {
      lock.unlock();
    }
  }
}
