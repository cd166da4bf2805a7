package io.taskbroker.outbox;

import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.Backoff;
import io.taskbroker.runtime.LogInterval;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sender of the records of one topic. Driven by the outbox's thread; Kafka's threads only call
/// [#acknowledged] and [#failed].
final class TopicSender {
  private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(10);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  /// Shorter delays cause no warning: the first use of a topic needs a look-up.
  private static final long PATIENCE_NANOS = Duration.ofSeconds(2).toNanos();

  private static final Duration REPEAT_AFTER = Duration.ofMinutes(1);

  private final Outbox outbox;
  private final Outbox.TopicOnCluster target;
  private final String topic;
  private final ArrayDeque<PendingRecord> waiting = new ArrayDeque<>();
  private final LogInterval warnings = new LogInterval(REPEAT_AFTER);
  private volatile @Nullable ClusterProducer clusterProducer;
  private final Backoff backoff;
  private long notBefore;
  private volatile boolean warned;

  private final AtomicInteger sent = new AtomicInteger();

  /// Time when the first of the records in flight was sent, or Kafka last acknowledged one.
  private volatile long answeredAt;

  private volatile boolean acknowledgedSome;
  private volatile boolean hasReturned;

  /// Whether each message gets its id as key, as a compacted topic requires.
  private volatile boolean keyed;

  /// Whether Kafka refuses every record of the topic as things stand. Then the sender tries one
  /// record at a time until Kafka accepts one.
  private volatile boolean topicRefuses;

  /// Guarded by itself.
  private final List<PendingRecord> returned = new ArrayList<>();

  private String reason = "";

  /// Why Kafka refuses this broker; empty if it does not.
  private String refusal = "";

  TopicSender(Outbox outbox, Outbox.TopicOnCluster target, long now) {
    this.outbox = outbox;
    this.target = target;
    this.topic = target.topic();
    this.backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE, outbox.random());
    this.notBefore = now;
  }

  void add(OutboxRecord outboxRecord, long now) {
    waiting.add(new PendingRecord(outboxRecord, this, now));
  }

  /// Requeues failed records, and sends what may be sent now.
  void work(long now) {
    requeueReturned(now);
    if (!waiting.isEmpty() && now - notBefore >= 0 && !isTrying()) {
      sendAll(now);
    }
    if (sent.get() > 0 && now - answeredAt > PATIENCE_NANOS) {
      warn(now, "Kafka does not acknowledge");
    }
    if (warned && waiting.isEmpty() && sent.get() == 0) {
      warned = false;
      warnings.over();
      LOG.info("Topic {} takes messages again", topic);
    }
  }

  /// Nanoseconds until there may be something to do without a signal.
  long nanosToWork(long now) {
    boolean idle = waiting.isEmpty() || isTrying();
    long pause = idle ? Long.MAX_VALUE : Math.max(0, notBefore - now);
    return sent.get() > 0 ? Math.min(pause, PATIENCE_NANOS) : pause;
  }

  /// Reports an acknowledged record. Called by Kafka's threads.
  void acknowledged(PendingRecord pending) {
    answeredAt = outbox.nanoTime();
    acknowledgedSome = true;
    boolean tried = topicRefuses;
    topicRefuses = false;
    int left = sent.decrementAndGet();
    outbox.produced(pending.outboxRecord, tried || (left == 0 && warned));
  }

  /// Reports a failed record. Called by Kafka's threads, and by the outbox's own while it sends.
  ///
  /// @param hadKey whether the message had a key
  void failed(
      PendingRecord pending, Exception failure, Producer<byte[], byte[]> producer, boolean hadKey) {
    SendResult result = SendResult.ofTaken(failure);
    if (result == SendResult.REFUSED && SendResult.isTooLarge(failure) && pending.dropHeaders()) {
      result = SendResult.RETRY;
    }
    if (result == SendResult.REFUSED) {
      sent.decrementAndGet();
      outbox.refused(pending.outboxRecord, refusedBecause(SendResult.reason(failure)));
      return;
    }
    if (result == SendResult.TOPIC_REFUSES) {
      keyed = !hadKey && SendResult.isInvalidRecord(failure);
      topicRefuses |= !keyed;
    }
    ClusterProducer current = clusterProducer;
    if (result == SendResult.RETRY_WITH_NEW_PRODUCER && current != null) {
      current.markBroken(producer);
    }
    synchronized (returned) {
      returned.add(pending);
      reason = SendResult.reason(failure);
      hasReturned = true;
    }
    sent.decrementAndGet();
    outbox.wake();
  }

  /// Whether one record is in flight to find out if Kafka accepts any.
  private boolean isTrying() {
    return topicRefuses && sent.get() > 0;
  }

  private void requeueReturned(long now) {
    String why;
    synchronized (returned) {
      if (!hasReturned) {
        return;
      }
      waiting.addAll(returned);
      returned.clear();
      hasReturned = false;
      why = reason;
    }
    pause(now, why);
  }

  private void sendAll(long now) {
    Producer<byte[], byte[]> producer = null;
    int partitions;
    try {
      ClusterProducer cluster = producerOfCluster();
      producer = cluster.producer();
      partitions = producer.partitionsFor(topic).size();
      if (partitions == 0) {
        throw new UnknownTopicOrPartitionException("The topic has no partitions yet");
      }
    } catch (RuntimeException e) {
      allFailed(now, e, producer);
      return;
    }
    boolean one = topicRefuses;
    while (!waiting.isEmpty() && !hasReturned) {
      PendingRecord pending = waiting.remove();
      if (sent.getAndIncrement() == 0) {
        answeredAt = now;
      }
      pending.send(producer, partitions, keyed);
      if (one) {
        return;
      }
    }
  }

  private ClusterProducer producerOfCluster() {
    ClusterProducer cluster = clusterProducer;
    if (cluster == null) {
      cluster = outbox.producerFor(target);
      clusterProducer = cluster;
    }
    return cluster;
  }

  /// Handles a failure that lets no record be sent now.
  private void allFailed(
      long now, RuntimeException failure, @Nullable Producer<byte[], byte[]> producer) {
    boolean noCluster = clusterProducer == null && failure instanceof IllegalArgumentException;
    SendResult result = noCluster ? SendResult.REFUSED : SendResult.of(failure);
    String why = why(failure);
    if (result == SendResult.REFUSED) {
      String text = noCluster ? String.valueOf(failure.getMessage()) : refusedBecause(why);
      for (PendingRecord pending = waiting.poll(); pending != null; pending = waiting.poll()) {
        outbox.refused(pending.outboxRecord, text);
      }
      return;
    }
    ClusterProducer current = clusterProducer;
    if (result == SendResult.RETRY_WITH_NEW_PRODUCER && current != null && producer != null) {
      current.markBroken(producer);
    }
    pause(now, why);
  }

  private String refusedBecause(String why) {
    return "Kafka refuses it for " + topic + ": " + why;
  }

  /// Reason of a failure. Kafka's client reports a failed login once for each connection attempt;
  /// between two attempts it only reports a timeout.
  private String why(RuntimeException failure) {
    String why = SendResult.reason(failure);
    if (failure instanceof AuthenticationException) {
      refusal = why;
    } else if (failure instanceof TimeoutException && failure.getCause() == null) {
      return refusal.isEmpty() ? "Kafka does not answer" : refusal;
    } else {
      refusal = "";
    }
    return why;
  }

  private void pause(long now, String why) {
    if (acknowledgedSome) {
      refusal = "";
      acknowledgedSome = false;
      backoff.reset();
    }
    if (now - notBefore >= 0) {
      notBefore = now + backoff.nextNanos();
    }
    for (PendingRecord pending : waiting) {
      if (now - pending.since > PATIENCE_NANOS) {
        warn(now, why);
        return;
      }
    }
  }

  private void warn(long now, String why) {
    if (!warnings.isDue(topic, now)) {
      return;
    }
    warned = true;
    ClusterProducer current = clusterProducer;
    LOG.warn(
        "Cannot produce to topic {} at {}: {}; {} messages wait in the store and are retried",
        topic,
        current == null ? "an unknown cluster" : current.bootstrap(),
        why,
        waiting.size() + sent.get());
  }
}
