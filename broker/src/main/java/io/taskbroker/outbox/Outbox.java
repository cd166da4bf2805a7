package io.taskbroker.outbox;

import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OutboxPort;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.SystemContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

/// Stage that produces forwarded records (G4). Each record ends in [Command.Produced], after all
/// in-sync replicas have it, or in [Command.ProduceRefused], if Kafka will never accept it (H19).
/// Until then the stage retries it, for ever (W1, W2, W6). A record may be produced twice, always
/// to the same partition (H8). A record without an outcome when the outbox stops is still in the
/// store.
///
/// One thread sends to all topics and never waits for Kafka, so that no topic delays another.
/// Thread-safe. The caller bounds the number of pending records.
public final class Outbox implements Service, Progress, OutboxPort {
  private static final String NAME = "outbox";
  private static final Duration GRACE = Duration.ofSeconds(2);

  private final OutboxOptions options;
  private final CommandSink commands;
  private final FailureSink failures;
  private final SystemContext system;
  private final Function<Map<String, Object>, Producer<byte[], byte[]>> factory;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by lock.
  private List<OutboxRecord> arrived = new ArrayList<>();
  private boolean signalled;
  private boolean stopping;
  private long stopBy;
  private @Nullable Thread thread;

  // The thread's own.
  private final Map<TopicOnCluster, TopicSender> senders = new LinkedHashMap<>();
  private final Map<Map<String, String>, ClusterProducer> producers = new HashMap<>();
  private List<OutboxRecord> taken = new ArrayList<>();

  private final AtomicInteger pending = new AtomicInteger();
  private final AtomicLong done = new AtomicLong();
  private volatile boolean working;
  private volatile boolean closed;

  public Outbox(OutboxOptions options, CommandSink commands, FailureSink failures) {
    this(options, commands, failures, SystemContext.system(), ClusterProducer::kafka);
  }

  /// @param factory creates a producer from its settings
  Outbox(
      OutboxOptions options,
      CommandSink commands,
      FailureSink failures,
      SystemContext system,
      Function<Map<String, Object>, Producer<byte[], byte[]>> factory) {
    this.options = options;
    this.commands = commands;
    this.failures = failures;
    this.system = system;
    this.factory = factory;
  }

  /// Accepts a record. Thread-safe, never waits. Records that arrive after the end of [#stop] are
  /// dropped.
  @Override
  public void produce(OutboxRecord outboxRecord) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      pending.incrementAndGet();
      arrived.add(outboxRecord);
      working = true;
      signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  /// Whether a record can be handed to Kafka now. Records that wait for Kafka's answer do not
  /// count: an outage of Kafka is not one of the outbox.
  @Override
  public boolean hasWork() {
    return working;
  }

  @Override
  public long done() {
    return done.get();
  }

  @Override
  public void start() {
    lock.lock();
    try {
      if (thread != null || stopping) {
        throw new IllegalStateException("The outbox was already started or stopped");
      }
      thread = Thread.ofPlatform().name(NAME).start(this::run);
    } finally {
      lock.unlock();
    }
  }

  /// Waits until Kafka has acknowledged all accepted records, for at most
  /// [OutboxOptions#stopTimeout]. Drops the rest, which is in the store.
  @Override
  public void stop() {
    Thread running;
    lock.lock();
    try {
      if (!stopping) {
        stopping = true;
        stopBy = nanoTime() + options.stopTimeout().toNanos();
      }
      running = thread;
      if (running == null) {
        closed = true;
      }
      signal();
    } finally {
      lock.unlock();
    }
    if (running != null) {
      await(running);
    }
  }

  /// Reports an acknowledged record. Called by Kafka's threads.
  void produced(OutboxRecord outboxRecord, boolean wakeSender) {
    if (!closed) {
      commands.submit(new Command.Produced(outboxRecord));
      settled(wakeSender);
    }
  }

  /// Reports a record that Kafka refuses. Called by Kafka's threads and by the outbox's own.
  ///
  /// @param why names the topic
  void refused(OutboxRecord outboxRecord, String why) {
    if (!closed) {
      commands.submit(new Command.ProduceRefused(outboxRecord, why));
      settled(false);
    }
  }

  /// Wakes the thread: a sender got a record back.
  void wake() {
    lock.lock();
    try {
      signal();
    } finally {
      lock.unlock();
    }
  }

  /// The producer for a topic on its cluster.
  ///
  /// @throws IllegalArgumentException if its cluster is unknown
  ClusterProducer producerFor(TopicOnCluster target) {
    Map<String, String> client =
        options.clusterOf().apply(new Destination(target.topic, target.cluster, Map.of()));
    if (client == null) {
      throw new IllegalArgumentException(
          "Topic "
              + target.topic
              + " is not in kafka_topics, so its cluster is unknown: add it, or name another"
              + " topic by 'taskbroker quarantine retarget'");
    }
    return producers.computeIfAbsent(
        client, known -> new ClusterProducer(known, options.maxMessageSize(), factory));
  }

  long nanoTime() {
    return system.ticker().nanoTime();
  }

  RandomGenerator random() {
    return system.random();
  }

  private void settled(boolean wake) {
    done.incrementAndGet();
    boolean last = pending.decrementAndGet() == 0;
    if (wake || last) {
      wake();
    }
  }

  private void signal() {
    if (!signalled) {
      signalled = true;
      changed.signal();
    }
  }

  private void run() {
    try {
      while (turn()) {
        done.incrementAndGet();
      }
    } catch (InterruptedException _) {
      // Interrupted to end at once.
    } catch (Throwable e) {
      failures.failed(NAME, e);
    } finally {
      close();
    }
  }

  /// Runs one turn, which waits until there is something to do; false if the thread must end.
  boolean turn() throws InterruptedException {
    if (!awaitWork()) {
      return false;
    }
    long now = nanoTime();
    for (OutboxRecord outboxRecord : taken) {
      Destination to = outboxRecord.destination();
      senders
          .computeIfAbsent(
              new TopicOnCluster(to.topic(), to.cluster()),
              target -> new TopicSender(this, target, now))
          .add(outboxRecord, now);
    }
    taken.clear();
    senders.values().forEach(sender -> sender.work(now));
    return true;
  }

  /// Nanoseconds until the next turn has something to do, as things stand.
  long untilTurn() {
    lock.lock();
    try {
      return signalled ? 0 : pause(nanoTime());
    } finally {
      lock.unlock();
    }
  }

  /// Nanoseconds until a sender has something to do without a signal.
  private long pause(long now) {
    long pause = Long.MAX_VALUE;
    for (TopicSender sender : senders.values()) {
      pause = Math.min(pause, sender.nanosToWork(now));
    }
    return pause;
  }

  /// Waits for a signal or for a sender's time, and takes the new records; false if the thread must
  /// end.
  private boolean awaitWork() throws InterruptedException {
    lock.lock();
    try {
      while (true) {
        long now = nanoTime();
        if (stopping && (pending.get() == 0 || now - stopBy >= 0)) {
          return false;
        }
        long pause = stopping ? Math.min(stopBy - now, pause(now)) : pause(now);
        if (signalled || pause <= 0) {
          break;
        }
        working = false;
        if (pause == Long.MAX_VALUE) {
          changed.await();
        } else if (changed.awaitNanos(pause) <= 0) {
          break;
        }
      }
      working = true;
      signalled = false;
      List<OutboxRecord> full = arrived;
      arrived = taken;
      taken = full;
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void close() {
    lock.lock();
    try {
      closed = true;
      working = false;
    } finally {
      lock.unlock();
    }
    producers.values().forEach(clusterProducer -> clusterProducer.close(Duration.ZERO));
  }

  /// Topic, and its cluster as in [Destination#cluster].
  record TopicOnCluster(String topic, String cluster) {}

  private void await(Thread running) {
    try {
      Duration limit = options.stopTimeout().plus(GRACE);
      if (!running.join(limit)) {
        running.interrupt();
        if (!running.join(GRACE)) {
          throw new IllegalStateException(
              "The outbox did not stop within " + limit.plus(GRACE).toSeconds() + " s");
        }
      }
    } catch (InterruptedException _) {
      running.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
