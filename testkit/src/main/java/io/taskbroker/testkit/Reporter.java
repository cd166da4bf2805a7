package io.taskbroker.testkit;

import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// Sender of results, one by one or in batches, each retried until the broker accepts it, across
/// restarts of the broker. The number of calls in flight is bounded. Thread-safe.
final class Reporter {
  private static final int SINGLE_CALLS = 1_000;
  private static final int BATCH_CALLS = 4;
  private static final long MIN_BACKOFF_MILLIS = 20;
  private static final long MAX_BACKOFF_MILLIS = 500;

  private final BrokerClient broker;
  private final TimerWheel wheel;
  private final ExecutionLog log;
  private final int batchSize;
  private final int maxCalls;
  private final ArrayDeque<Execution> waiting = new ArrayDeque<>();
  private int calls;
  private long backoff = MIN_BACKOFF_MILLIS;
  private boolean paused;
  private boolean held;

  Reporter(BrokerClient broker, TimerWheel wheel, ExecutionLog log, int batchSize) {
    this.broker = broker;
    this.wheel = wheel;
    this.log = log;
    this.batchSize = batchSize;
    maxCalls = batchSize == 1 ? SINGLE_CALLS : BATCH_CALLS;
  }

  /// Queues a result for the next [#send].
  synchronized void add(Execution execution) {
    waiting.add(execution);
  }

  /// Keeps results back, or sends them again.
  void hold(boolean hold) {
    synchronized (this) {
      held = hold;
    }
    send();
  }

  /// Whether every result was accepted or refused by the broker.
  synchronized boolean isIdle() {
    return calls == 0 && waiting.isEmpty();
  }

  /// Sends as many queued results as the call limit allows.
  void send() {
    List<Execution> batch = next();
    while (!batch.isEmpty()) {
      send(batch);
      batch = next();
    }
  }

  private synchronized List<Execution> next() {
    if (held || paused || calls == maxCalls || waiting.isEmpty()) {
      return List.of();
    }
    calls++;
    if (batchSize == 1) {
      return List.of(waiting.remove());
    }
    int size = Math.min(batchSize, waiting.size());
    var batch = new ArrayList<Execution>(size);
    for (int i = 0; i < size; i++) {
      batch.add(waiting.remove());
    }
    return batch;
  }

  private void send(List<Execution> batch) {
    if (batchSize == 1) {
      byte[] request = batch.getFirst().report().build().toByteArray();
      broker.call(
          RawMethods.SET_TASK_STATUS,
          request,
          (status, _) -> ended(batch, ReportOutcome.of(status)));
      return;
    }
    var request = SetBatchActivationStatusRequest.newBuilder();
    for (Execution execution : batch) {
      request.addUpdates(execution.report());
    }
    broker.call(
        RawMethods.SET_BATCH_ACTIVATION_STATUS,
        request.build().toByteArray(),
        (status, _) -> ended(batch, ReportOutcome.of(status)));
  }

  private void ended(List<Execution> batch, ReportOutcome outcome) {
    for (Execution execution : batch) {
      switch (outcome) {
        case ACCEPTED -> log.acknowledged(execution.number, execution.run.result());
        case REFUSED -> log.refused();
        case RETRY -> {}
      }
    }
    synchronized (this) {
      calls--;
      if (outcome == ReportOutcome.RETRY) {
        batch.reversed().forEach(waiting::addFirst);
        pause();
      } else {
        backoff = MIN_BACKOFF_MILLIS;
      }
    }
    send();
  }

  private void pause() {
    if (paused) {
      return;
    }
    paused = true;
    wheel.schedule(
        new TimerWheel.Timer() {
          @Override
          void fire() {
            resume();
          }
        },
        backoff);
    backoff = Math.min(2 * backoff, MAX_BACKOFF_MILLIS);
  }

  private synchronized void resume() {
    paused = false;
  }
}
