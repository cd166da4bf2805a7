package io.taskbroker.client.grpc;

import io.grpc.stub.StreamObserver;
import io.taskbroker.client.BrokerFullException;
import io.taskbroker.client.BrokerUnavailableException;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.RejectReason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Enqueues calls at one broker: joins what waits into requests, a few of them at once, and repeats
/// requests until they are answered or their time is over. Repeats go to the same broker, which
/// recognises the ids. Thread-safe.
final class Enqueuer {
  private static final int MAX_REQUESTS = 4;
  private static final int MAX_TASKS = 1_000;
  private static final int MAX_BYTES = 2 << 20;
  private static final int MAX_WAITING = 10_000;
  private static final int MAX_WAITING_BYTES = 32 << 20;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private final BrokerConnection broker;
  private final ScheduledExecutorService timer;
  private final Duration timeout;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition hasRoom = lock.newCondition();
  private final ArrayDeque<Pending> queue = new ArrayDeque<>();
  private final Backoff backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
  private int requests;
  private int waiting;
  private long waitingBytes;
  private boolean pausing;
  private boolean closed;

  private record Pending(
      NewTask call, int bytes, long endNanos, CompletableFuture<TaskTransport.Enqueued> answer) {}

  Enqueuer(BrokerConnection broker, ScheduledExecutorService timer, Duration timeout) {
    this.broker = broker;
    this.timer = timer;
    this.timeout = timeout;
  }

  CompletableFuture<TaskTransport.Enqueued> enqueue(NewTask call, boolean waits) {
    int bytes = call.getSerializedSize();
    var answer = new CompletableFuture<TaskTransport.Enqueued>();
    lock.lock();
    try {
      long end = System.nanoTime() + timeout.toNanos();
      while (!closed && (waiting >= MAX_WAITING || waitingBytes + bytes > MAX_WAITING_BYTES)) {
        long left = end - System.nanoTime();
        if (!waits || left <= 0) {
          return CompletableFuture.failedFuture(
              new BrokerFullException(
                  "Could not enqueue task %s: %d calls wait for answers of %s. Produce more slowly"
                      .formatted(call.getTask().getId(), waiting, broker.target())));
        }
        long unused = hasRoom.awaitNanos(left);
      }
      if (closed) {
        return CompletableFuture.failedFuture(new IllegalStateException("The client is closed"));
      }
      waiting++;
      waitingBytes += bytes;
      queue.addLast(new Pending(call, bytes, end, answer));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return CompletableFuture.failedFuture(
          new BrokerFullException("Interrupted while waiting for room; nothing was enqueued"));
    } finally {
      lock.unlock();
    }
    sendWaiting();
    return answer;
  }

  private void sendWaiting() {
    while (true) {
      List<Pending> batch = nextBatch();
      if (batch.isEmpty()) {
        return;
      }
      send(batch);
    }
  }

  /// Calls of the next request; empty if there is nothing to send now.
  private List<Pending> nextBatch() {
    lock.lock();
    try {
      List<Pending> batch = new ArrayList<>();
      if (requests >= MAX_REQUESTS || pausing) {
        return batch;
      }
      long bytes = 0;
      while (!queue.isEmpty() && batch.size() < MAX_TASKS) {
        Pending next = queue.getFirst();
        if (!batch.isEmpty() && bytes + next.bytes > MAX_BYTES) {
          break;
        }
        bytes += next.bytes;
        batch.add(queue.removeFirst());
      }
      requests += batch.isEmpty() ? 0 : 1;
      return batch;
    } finally {
      lock.unlock();
    }
  }

  private void send(List<Pending> batch) {
    EnqueueRequest.Builder request = EnqueueRequest.newBuilder();
    long end = Long.MIN_VALUE;
    long now = System.nanoTime();
    for (Pending each : batch) {
      request.addTasks(each.call);
      end = Math.max(end, each.endNanos - now);
    }
    broker
        .tasks()
        .withDeadlineAfter(Math.max(1, end), TimeUnit.NANOSECONDS)
        .enqueue(request.build(), new Answer(batch));
  }

  private final class Answer implements StreamObserver<EnqueueResponse> {
    private final List<Pending> batch;
    private @Nullable EnqueueResponse response;

    Answer(List<Pending> batch) {
      this.batch = batch;
    }

    @Override
    public void onNext(EnqueueResponse value) {
      response = value;
    }

    @Override
    public void onError(Throwable error) {
      finish(batch, null, error);
    }

    @Override
    public void onCompleted() {
      EnqueueResponse value = response;
      if (value != null && value.getResultsCount() == batch.size()) {
        finish(batch, value, null);
      } else {
        finish(batch, null, new IllegalStateException("The broker answered with too few results"));
      }
    }
  }

  /// Either `response` or `error` is given.
  private void finish(
      List<Pending> batch, @Nullable EnqueueResponse response, @Nullable Throwable error) {
    List<Runnable> answers = new ArrayList<>(batch.size());
    List<Pending> again = new ArrayList<>();
    long answeredBytes = 0;
    for (int i = 0; i < batch.size(); i++) {
      Pending each = batch.get(i);
      boolean inTime = each.endNanos - System.nanoTime() > 0;
      if (response != null) {
        EnqueueResult result = response.getResults(i);
        if (result.getReason() == RejectReason.REJECT_REASON_FULL && inTime) {
          again.add(each);
        } else {
          answeredBytes += each.bytes;
          answers.add(
              () -> each.answer.complete(new TaskTransport.Enqueued(result, broker.target())));
        }
      } else if (error != null) {
        if (Errors.isTransient(error) && inTime) {
          again.add(each);
        } else {
          answeredBytes += each.bytes;
          answers.add(() -> each.answer.completeExceptionally(failure(each, error)));
        }
      }
    }
    lock.lock();
    try {
      requests--;
      if (again.isEmpty()) {
        backoff.reset();
      } else {
        for (Pending each : again.reversed()) {
          queue.addFirst(each);
        }
        pause();
      }
      waiting -= batch.size() - again.size();
      waitingBytes -= answeredBytes;
      hasRoom.signalAll();
    } finally {
      lock.unlock();
    }
    answers.forEach(Runnable::run);
    sendWaiting();
  }

  private RuntimeException failure(Pending each, Throwable error) {
    return Errors.of(
        "enqueue task %s (%s) at %s"
            .formatted(each.call.getTask().getId(), each.call.getTask().getName(), broker.target()),
        error);
  }

  /// Sends nothing for a while. Called with the lock.
  private void pause() {
    if (!pausing && !closed) {
      pausing = true;
      var unused = timer.schedule(this::resume, backoff.next(), TimeUnit.NANOSECONDS);
    }
  }

  private void resume() {
    lock.lock();
    try {
      pausing = false;
    } finally {
      lock.unlock();
    }
    broker.connectNow();
    sendWaiting();
  }

  /// Takes no more calls, and waits until the accepted ones are answered or out of time.
  void close() {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (waiting > 0 && left > 0) {
        left = hasRoom.awaitNanos(left);
      }
      closed = true;
    } catch (InterruptedException e) {
      closed = true;
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
    failAll();
  }

  private void failAll() {
    List<Pending> left;
    lock.lock();
    try {
      left = List.copyOf(queue);
      queue.clear();
      hasRoom.signalAll();
    } finally {
      lock.unlock();
    }
    for (Pending each : left) {
      each.answer.completeExceptionally(
          new BrokerUnavailableException(
              "The client was closed before task " + each.call.getTask().getId() + " was answered",
              null));
    }
  }
}
