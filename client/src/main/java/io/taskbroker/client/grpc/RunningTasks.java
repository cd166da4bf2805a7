package io.taskbroker.client.grpc;

import io.taskbroker.client.Cancellation;
import io.taskbroker.client.codec.Payloads;
import io.taskbroker.client.spi.Attempt;
import io.taskbroker.client.spi.TaskRunner;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Result;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// Attempts that run in this process, each on a virtual thread of its own. Thread-safe.
public final class RunningTasks {
  private final TaskRunner runner;
  private final Payloads payloads;
  private final InstantSource clock;
  private final Map<Key, Attempt> running = new ConcurrentHashMap<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition empty = lock.newCondition();

  private record Key(String id, long epoch, long number) {
    static Key of(String id, AttemptToken token) {
      return new Key(id, token.getEpoch(), token.getNumber());
    }
  }

  public RunningTasks(TaskRunner runner, Payloads payloads, InstantSource clock) {
    this.runner = runner;
    this.payloads = payloads;
    this.clock = clock;
  }

  /// An attempt of a delivery, to be started or released.
  ///
  /// @param onHeartbeat see [Attempt]
  Attempt attempt(Delivery delivery, Consumer<Attempt> onHeartbeat) {
    return new Attempt(delivery, payloads, clock, onHeartbeat);
  }

  /// Runs an attempt on a new thread; does nothing if the same delivery is running.
  ///
  /// @param done called on the thread of the attempt, which counts as running until it returns
  /// @return false if this delivery is running already
  boolean start(Attempt attempt, BiConsumer<Attempt, Result> done) {
    Key key = Key.of(attempt.id(), attempt.delivery().getToken());
    if (running.putIfAbsent(key, attempt) != null) {
      return false;
    }
    Thread.ofVirtual().name("task-" + attempt.id()).start(() -> run(key, attempt, done));
    return true;
  }

  private void run(Key key, Attempt attempt, BiConsumer<Attempt, Result> done) {
    try {
      done.accept(attempt, runner.run(attempt));
    } finally {
      end(key);
    }
  }

  private void end(Key key) {
    running.remove(key);
    if (running.isEmpty()) {
      lock.lock();
      try {
        empty.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  void cancel(String id, AttemptToken token, Cancellation.Reason reason) {
    Attempt attempt = running.get(Key.of(id, token));
    if (attempt != null) {
      attempt.cancel(reason);
    }
  }

  public void cancelAll(Cancellation.Reason reason) {
    running.values().forEach(attempt -> attempt.cancel(reason));
  }

  /// Cancels the attempts whose deadline has passed.
  void cancelOverdue() {
    if (!running.isEmpty()) {
      Instant now = clock.instant();
      for (Attempt each : running.values()) {
        if (now.isAfter(each.deadline())) {
          each.cancel(Cancellation.Reason.DEADLINE);
        }
      }
    }
  }

  public int size() {
    return running.size();
  }

  /// @return false if attempts still run when the time is over
  public boolean awaitEmpty(Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (!running.isEmpty() && left > 0) {
        left = empty.awaitNanos(left);
      }
      return running.isEmpty();
    } finally {
      lock.unlock();
    }
  }
}
