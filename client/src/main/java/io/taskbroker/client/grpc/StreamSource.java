package io.taskbroker.client.grpc;

import io.grpc.Status;
import io.taskbroker.client.Cancellation;
import io.taskbroker.client.spi.Attempt;
import io.taskbroker.client.spi.TaskRunner;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Cancellations;
import io.taskbroker.protocol.v1.Deliveries;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.ResultsAck;
import io.taskbroker.protocol.v1.WorkerMessage;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// Work source over the stream of one broker. It keeps one [WorkerStream] open, and a new one after
/// a pause when it breaks; results survive that. Thread-safe.
///
/// One virtual thread sends: what became ready while it sent goes out as one message.
public final class StreamSource implements WorkSource {
  private static final Logger log = LoggerFactory.getLogger(StreamSource.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
  private static final long TICK_MILLIS = 200;

  private final BrokerConnection broker;
  private final ScheduledExecutorService timer;
  private final WorkerOptions options;
  private final RunningTasks tasks;
  private final Counts counts;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final StreamWork work;
  private final Backoff backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
  private @Nullable WorkerStream stream;
  private @Nullable ScheduledFuture<?> ticks;
  private boolean closed;

  public StreamSource(
      BrokerConnection broker,
      ScheduledExecutorService timer,
      WorkerOptions options,
      RunningTasks tasks,
      Counts counts) {
    this.broker = broker;
    this.timer = timer;
    this.options = options;
    this.tasks = tasks;
    this.counts = counts;
    this.work = new StreamWork(options);
  }

  @Override
  public void start() {
    ticks = timer.scheduleAtFixedRate(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    Thread.ofVirtual().name("taskbroker-sender").start(this::send);
    connect();
  }

  @Override
  public String target() {
    return broker.target();
  }

  @Override
  public boolean isConnected() {
    lock.lock();
    try {
      return stream != null && stream.isWelcomed();
    } finally {
      lock.unlock();
    }
  }

  private void connect() {
    lock.lock();
    try {
      if (closed || stream != null) {
        return;
      }
      work.reconnect();
      WorkerStream opened = new WorkerStream(this);
      stream = opened;
      opened.open(broker.workers(), options, work.slots());
    } finally {
      lock.unlock();
    }
  }

  /// Checks deadlines, and lets the sender send heartbeats.
  private void tick() {
    tasks.cancelOverdue();
    lock.lock();
    try {
      work.tick();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// The sender's thread. It encodes messages without the lock, which the ends of attempts need.
  private void send() {
    try {
      for (Outgoing next = nextOutgoing(); next != null; next = nextOutgoing()) {
        next.to.send(next.message);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private record Outgoing(WorkerStream to, WorkerMessage message) {}

  /// Waits for something to send; null if nothing more is sent, and the stream half closed.
  private @Nullable Outgoing nextOutgoing() throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        WorkerStream to = stream;
        WorkerMessage message = to == null ? null : work.next(to);
        if (to != null && message != null) {
          return new Outgoing(to, message);
        }
        changed.await();
      }
      if (stream != null) {
        stream.halfClose();
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  /// The stream may be written to again, or was welcomed.
  void onWritable() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void onWelcome(WorkerStream from) {
    lock.lock();
    try {
      backoff.reset();
      counts.connected();
    } finally {
      lock.unlock();
    }
    log.info(
        "Connected to broker {} at {} for application {}, {} slots",
        from.brokerName(),
        broker.target(),
        options.application(),
        options.slotsNow());
    onWritable();
  }

  void onMessage(WorkerStream from, BrokerMessage message) {
    switch (message.getMessageCase()) {
      case DELIVERIES -> onDeliveries(message.getDeliveries());
      case RESULTS_ACK -> onAck(from, message.getResultsAck());
      case CANCELLATIONS -> onCancellations(message.getCancellations());
      case DRAIN -> log.info("Broker {} stops; the worker connects again", from.brokerName());
      case WELCOME, MESSAGE_NOT_SET -> log.debug("Ignored a message of broker {}", broker.target());
    }
  }

  private void onDeliveries(Deliveries deliveries) {
    for (Delivery each : deliveries.getDeliveriesList()) {
      Attempt attempt = tasks.attempt(each, this::onHeartbeat);
      if (take(attempt) && !tasks.start(attempt, this::onResult)) {
        ended(attempt);
      }
    }
  }

  /// @return false if it is given back
  private boolean take(Attempt attempt) {
    lock.lock();
    try {
      if (work.take(attempt)) {
        return true;
      }
      Result released = TaskRunner.released(attempt);
      work.add(released);
      counts.ended(released);
      changed.signalAll();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void onHeartbeat(Attempt attempt) {
    lock.lock();
    try {
      work.heartbeat(attempt);
    } finally {
      lock.unlock();
    }
  }

  private void onResult(Attempt attempt, Result result) {
    counts.ended(result);
    lock.lock();
    try {
      work.add(result);
      work.ended(attempt);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void ended(Attempt attempt) {
    lock.lock();
    try {
      work.ended(attempt);
    } finally {
      lock.unlock();
    }
  }

  private void onAck(WorkerStream from, ResultsAck ack) {
    ack.getStatusesList().forEach(counts::acknowledged);
    lock.lock();
    try {
      from.acknowledged(ack.getNumber());
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void onCancellations(Cancellations cancellations) {
    cancellations
        .getCancellationsList()
        .forEach(each ->
            tasks.cancel(
                each.getId(),
                each.getToken(),
                switch (each.getReason()) {
                  case CANCEL_REASON_REQUESTED -> Cancellation.Reason.REQUESTED;
                  case CANCEL_REASON_SUPERSEDED, CANCEL_REASON_UNSPECIFIED, UNRECOGNIZED ->
                      Cancellation.Reason.SUPERSEDED;
                }));
  }

  /// The stream ended. What it did not acknowledge is sent again on the next one.
  void onEnd(WorkerStream ended, Status status) {
    lock.lock();
    try {
      if (stream != ended) {
        return;
      }
      stream = null;
      work.disconnected(ended.unacknowledged());
      changed.signalAll();
      if (closed || timer.isShutdown()) {
        return;
      }
      long pause = backoff.next();
      // Once for each outage, and again when it lasts.
      Level level = ended.isWelcomed() || backoff.isLongest() ? Level.WARN : Level.DEBUG;
      log.atLevel(level)
          .log(
              "No stream to broker {} ({}, {}); {} tasks run on, connecting again in {} ms",
              broker.target(),
              status.getCode(),
              status.getDescription(),
              work.running(),
              pause / 1_000_000);
      var unused = timer.schedule(this::reconnect, pause, TimeUnit.NANOSECONDS);
    } finally {
      lock.unlock();
    }
  }

  private void reconnect() {
    broker.connectNow();
    connect();
  }

  @Override
  public void drain() {
    lock.lock();
    try {
      work.drain();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close(Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (left > 0 && (work.hasResults() || hasUnacknowledged())) {
        left = changed.awaitNanos(left);
      }
      if (work.hasResults() || hasUnacknowledged()) {
        log.warn("Stopped before broker {} had taken all results", broker.target());
      }
      closed = true;
      changed.signalAll();
      WorkerStream last = stream;
      if (last != null) {
        while (left > 0 && stream == last) {
          left = changed.awaitNanos(left);
        }
        if (stream == last) {
          last.cancel();
        }
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    ScheduledFuture<?> periodic = ticks;
    if (periodic != null) {
      periodic.cancel(false);
    }
  }

  private boolean hasUnacknowledged() {
    return stream != null && !stream.unacknowledged().isEmpty();
  }
}
