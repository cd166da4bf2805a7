package io.taskbroker.client.grpc;

import io.taskbroker.client.spi.Attempt;
import io.taskbroker.client.spi.TaskRunner;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc.WorkerServiceStub;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Sends the messages of a worker to one broker, over one stream after another. Thread-safe.
///
/// One virtual thread sends: what became ready while it sent goes out as one message. It is woken
/// only when it waits and something may be sent.
final class StreamSender {
  private final WorkerOptions options;
  private final ReentrantLock lock = new ReentrantLock();

  /// For the thread that sends.
  private final Condition sendable = lock.newCondition();

  /// For those who stop the worker: a stream ended, results were acknowledged, tasks were started.
  private final Condition progressed = lock.newCondition();

  private final StreamWork work;
  private @Nullable WorkerStream stream;

  /// Messages of deliveries that were taken and whose tasks are being started.
  private int starting;

  /// Whether the thread that sends waits.
  private boolean idle;

  private boolean closed;

  StreamSender(WorkerOptions options) {
    this.options = options;
    this.work = new StreamWork(options);
  }

  void start() {
    Thread.ofVirtual().name("taskbroker-sender").start(this::run);
  }

  /// It encodes messages without the lock, which the ends of attempts need.
  private void run() {
    try {
      for (Outgoing next = next(); next != null; next = next()) {
        next.to.send(next.message);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private record Outgoing(WorkerStream to, WorkerMessage message) {}

  /// Waits for something to send; null if nothing more is sent, and the stream half closed.
  private @Nullable Outgoing next() throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        WorkerStream to = stream;
        WorkerMessage message = to == null ? null : work.next(to);
        if (to != null && message != null) {
          return new Outgoing(to, message);
        }
        idle = true;
        sendable.await();
      }
      if (stream != null) {
        stream.halfClose();
      }
      return null;
    } finally {
      idle = false;
      lock.unlock();
    }
  }

  /// Wakes the thread that sends, if that is of use. The caller has the lock.
  private void wake() {
    if (idle && (closed || (stream != null && work.hasNext(stream)))) {
      idle = false;
      sendable.signal();
    }
  }

  /// Opens a stream, unless one is open or nothing more is sent.
  void open(Supplier<WorkerStream> streams, WorkerServiceStub stub) {
    lock.lock();
    try {
      if (closed || stream != null) {
        return;
      }
      work.reconnect();
      WorkerStream opened = streams.get();
      stream = opened;
      opened.open(stub, options, work.slots());
    } finally {
      lock.unlock();
    }
  }

  /// The stream ended: what it did not acknowledge is sent again on the next one.
  ///
  /// @return whether there should be a next one
  boolean ended(WorkerStream ended) {
    lock.lock();
    try {
      if (stream != ended) {
        return false;
      }
      stream = null;
      work.disconnected(ended.unacknowledged());
      progressed.signalAll();
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  boolean isConnected() {
    lock.lock();
    try {
      return stream != null && stream.isWelcomed();
    } finally {
      lock.unlock();
    }
  }

  /// Attempts that were taken and have not ended.
  int running() {
    lock.lock();
    try {
      return work.running();
    } finally {
      lock.unlock();
    }
  }

  /// The stream may be written to again, or was welcomed.
  void onWritable() {
    lock.lock();
    try {
      wake();
    } finally {
      lock.unlock();
    }
  }

  /// Heartbeats may be sent.
  void tick() {
    lock.lock();
    try {
      if (stream != null) {
        work.tick(stream);
        wake();
      }
    } finally {
      lock.unlock();
    }
  }

  /// Takes the attempts of one message, or gives all of them back. The caller starts those that
  /// were taken, and calls [#started] then.
  ///
  /// @return whether they were taken
  boolean take(List<Attempt> attempts) {
    lock.lock();
    try {
      if (work.take(attempts)) {
        starting++;
        return true;
      }
      attempts.forEach(each -> work.add(TaskRunner.released(each)));
      wake();
      return false;
    } finally {
      lock.unlock();
    }
  }

  void started() {
    lock.lock();
    try {
      starting--;
      progressed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void heartbeat(Attempt attempt) {
    lock.lock();
    try {
      work.heartbeat(attempt);
    } finally {
      lock.unlock();
    }
  }

  void ended(Attempt attempt, Result result) {
    // The message remembers its size, which is needed with the lock.
    int unused = result.getSerializedSize();
    lock.lock();
    try {
      work.add(result);
      work.ended(attempt);
      wake();
    } finally {
      lock.unlock();
    }
  }

  /// An attempt that was taken is not run.
  void forget(Attempt attempt) {
    lock.lock();
    try {
      work.ended(attempt);
    } finally {
      lock.unlock();
    }
  }

  void acknowledged(WorkerStream from, long number) {
    lock.lock();
    try {
      from.acknowledged(number);
      progressed.signalAll();
      wake();
    } finally {
      lock.unlock();
    }
  }

  /// Takes no more attempts. Those that were taken have been started when it returns.
  void drain() {
    lock.lock();
    try {
      work.drain();
      wake();
      while (starting > 0) {
        progressed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /// Waits until the broker has acknowledged all results, then ends the stream.
  ///
  /// @return false if the time is over before it has
  boolean close(Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (left > 0 && hasResults()) {
        left = progressed.awaitNanos(left);
      }
      boolean all = !hasResults();
      closed = true;
      wake();
      WorkerStream last = stream;
      while (left > 0 && last != null && stream == last) {
        left = progressed.awaitNanos(left);
      }
      if (last != null && stream == last) {
        last.cancel();
      }
      return all;
    } finally {
      lock.unlock();
    }
  }

  private boolean hasResults() {
    return work.hasResults() || (stream != null && !stream.unacknowledged().isEmpty());
  }
}
