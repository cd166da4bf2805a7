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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// Work source over the stream of one broker. It keeps one [WorkerStream] open, and a new one after
/// a pause when it breaks; results survive that. Thread-safe.
public final class StreamSource implements WorkSource {
  private static final Logger log = LoggerFactory.getLogger(StreamSource.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(3);
  private static final long TICK_MILLIS = 200;

  private final BrokerConnection broker;
  private final ScheduledExecutorService timer;
  private final WorkerOptions options;
  private final RunningTasks tasks;
  private final Counts counts;
  private final StreamSender sender;
  private final Consumer<Attempt> onHeartbeat;
  private final BiConsumer<Attempt, Result> onResult = this::onResult;

  /// For the callbacks of streams, of which there is one at a time.
  private final Backoff backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);

  private @Nullable ScheduledFuture<?> ticks;

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
    this.sender = new StreamSender(options);
    this.onHeartbeat = sender::heartbeat;
  }

  @Override
  public void start() {
    ticks =
        timer.scheduleAtFixedRate(sender::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    sender.start();
    connect();
  }

  @Override
  public String target() {
    return broker.target();
  }

  @Override
  public boolean isConnected() {
    return sender.isConnected();
  }

  private void connect() {
    sender.open(() -> new WorkerStream(this), broker.workers());
  }

  void onWritable() {
    sender.onWritable();
  }

  void onWelcome(WorkerStream from) {
    backoff.reset();
    counts.connected();
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
    List<Attempt> attempts = new ArrayList<>(deliveries.getDeliveriesCount());
    for (Delivery each : deliveries.getDeliveriesList()) {
      attempts.add(tasks.attempt(each, onHeartbeat));
    }
    if (!sender.take(attempts)) {
      attempts.forEach(each -> counts.ended(TaskRunner.released(each)));
      return;
    }
    try {
      for (Attempt each : attempts) {
        if (!tasks.start(each, onResult)) {
          sender.forget(each);
        }
      }
    } finally {
      sender.started();
    }
  }

  private void onResult(Attempt attempt, Result result) {
    counts.ended(result);
    sender.ended(attempt, result);
  }

  private void onAck(WorkerStream from, ResultsAck ack) {
    ack.getStatusesList().forEach(counts::acknowledged);
    sender.acknowledged(from, ack.getNumber());
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

  void onEnd(WorkerStream ended, Status status) {
    if (!sender.ended(ended) || timer.isShutdown()) {
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
            sender.running(),
            pause / 1_000_000);
    var unused = timer.schedule(this::reconnect, pause, TimeUnit.NANOSECONDS);
  }

  private void reconnect() {
    broker.connectNow();
    connect();
  }

  @Override
  public void drain() {
    sender.drain();
  }

  @Override
  public void close(Duration timeout) throws InterruptedException {
    if (!sender.close(timeout)) {
      log.warn("Stopped before broker {} had taken all results", broker.target());
    }
    ScheduledFuture<?> periodic = ticks;
    if (periodic != null) {
      periodic.cancel(false);
    }
  }
}
