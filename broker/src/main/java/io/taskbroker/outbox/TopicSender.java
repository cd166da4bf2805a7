package io.taskbroker.outbox;

import io.taskbroker.inflight.OutboxRecord;
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
  private static final long FIRST_PAUSE_NANOS = Duration.ofMillis(10).toNanos();
  private static final long LONGEST_PAUSE_NANOS = Duration.ofSeconds(1).toNanos();
  private static final int LONGEST_PAUSE_AFTER = 7;

  /// Shorter delays cause no warning: the first use of a topic needs a look-up.
  private static final long PATIENCE_NANOS = Duration.ofSeconds(2).toNanos();

  private static final long WARNING_PERIOD_NANOS = Duration.ofSeconds(60).toNanos();

  private final Outbox outbox;
  private final Outbox.TopicOnCluster place;
  private final String topic;
  private final ArrayDeque<PendingRecord> waiting = new ArrayDeque<>();
  private volatile @Nullable ClusterProducer link;
  private int failures;
  private long notBefore;
  private volatile boolean warned;
  private long warnedAt;

  private final AtomicInteger sent = new AtomicInteger();

  /// Time when the first of the records in flight was sent, or Kafka last acknowledged one.
  private volatile long answeredAt;

  private volatile boolean acknowledgedSome;
  private volatile boolean setBack;

  /// Whether each message gets its id as key, as a compacted topic requires.
  private volatile boolean keyed;

  /// Whether Kafka refuses every record of the topic as things stand. Then the sender tries one
  /// record at a time until Kafka accepts one.
  private volatile boolean refuses;

  /// Guarded by itself.
  private final List<PendingRecord> returned = new ArrayList<>();

  private String reason = "";

  /// Why Kafka refuses this broker; empty if it does not.
  private String refusal = "";

  TopicSender(Outbox outbox, Outbox.TopicOnCluster place, long now) {
    this.outbox = outbox;
    this.place = place;
    this.topic = place.topic();
    this.notBefore = now;
  }

  void add(OutboxRecord departure, long now) {
    waiting.add(new PendingRecord(departure, this, now));
  }

  /// Requeues failed records, and sends what may be sent now.
  void work(long now) {
    takeBack(now);
    if (!waiting.isEmpty() && now - notBefore >= 0 && !isTrying()) {
      sendAll(now);
    }
    if (sent.get() > 0 && now - answeredAt > PATIENCE_NANOS) {
      warn(now, "Kafka does not acknowledge");
    }
    if (warned && waiting.isEmpty() && sent.get() == 0) {
      warned = false;
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
  void acknowledged(PendingRecord parcel) {
    answeredAt = outbox.nanoTime();
    acknowledgedSome = true;
    boolean tried = refuses;
    refuses = false;
    int left = sent.decrementAndGet();
    outbox.produced(parcel.departure, tried || (left == 0 && warned));
  }

  /// Reports a failed record. Called by Kafka's threads, and by the outbox's own while it sends.
  ///
  /// @param hadKey whether the message had a key
  void failed(
      PendingRecord parcel, Exception failure, Producer<byte[], byte[]> producer, boolean hadKey) {
    SendResult verdict = SendResult.ofTaken(failure);
    if (verdict == SendResult.REFUSED && SendResult.isTooLarge(failure) && parcel.strip()) {
      verdict = SendResult.LATER;
    }
    if (verdict == SendResult.REFUSED) {
      sent.decrementAndGet();
      outbox.refused(parcel.departure, refusedBecause(SendResult.reason(failure)));
      return;
    }
    if (verdict == SendResult.TOPIC_REFUSES) {
      keyed = !hadKey && SendResult.isInvalidRecord(failure);
      refuses |= !keyed;
    }
    ClusterProducer current = link;
    if (verdict == SendResult.LATER_ANEW && current != null) {
      current.broke(producer);
    }
    synchronized (returned) {
      returned.add(parcel);
      reason = SendResult.reason(failure);
      setBack = true;
    }
    sent.decrementAndGet();
    outbox.setBack();
  }

  /// Whether one record is in flight to find out if Kafka accepts any.
  private boolean isTrying() {
    return refuses && sent.get() > 0;
  }

  private void takeBack(long now) {
    String why;
    synchronized (returned) {
      if (!setBack) {
        return;
      }
      waiting.addAll(returned);
      returned.clear();
      setBack = false;
      why = reason;
    }
    pause(now, why);
  }

  private void sendAll(long now) {
    Producer<byte[], byte[]> producer = null;
    int partitions;
    try {
      ClusterProducer way = way();
      producer = way.producer();
      partitions = producer.partitionsFor(topic).size();
      if (partitions == 0) {
        throw new UnknownTopicOrPartitionException("The topic has no partitions yet");
      }
    } catch (RuntimeException e) {
      allFailed(now, e, producer);
      return;
    }
    boolean one = refuses;
    while (!waiting.isEmpty() && !setBack) {
      PendingRecord parcel = waiting.remove();
      if (sent.getAndIncrement() == 0) {
        answeredAt = now;
      }
      parcel.send(producer, partitions, keyed);
      if (one) {
        return;
      }
    }
  }

  private ClusterProducer way() {
    ClusterProducer way = link;
    if (way == null) {
      way = outbox.linkTo(place);
      link = way;
    }
    return way;
  }

  /// Handles a failure that lets no record be sent now.
  private void allFailed(
      long now, RuntimeException failure, @Nullable Producer<byte[], byte[]> producer) {
    boolean noCluster = link == null && failure instanceof IllegalArgumentException;
    SendResult verdict = noCluster ? SendResult.REFUSED : SendResult.of(failure);
    String why = why(failure);
    if (verdict == SendResult.REFUSED) {
      String text = noCluster ? String.valueOf(failure.getMessage()) : refusedBecause(why);
      for (PendingRecord parcel = waiting.poll(); parcel != null; parcel = waiting.poll()) {
        outbox.refused(parcel.departure, text);
      }
      return;
    }
    ClusterProducer current = link;
    if (verdict == SendResult.LATER_ANEW && current != null && producer != null) {
      current.broke(producer);
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
      failures = 0;
    }
    if (now - notBefore >= 0) {
      long longest =
          failures < LONGEST_PAUSE_AFTER ? FIRST_PAUSE_NANOS << failures : LONGEST_PAUSE_NANOS;
      failures++;
      notBefore = now + outbox.random().nextLong(longest / 2, longest + 1);
    }
    for (PendingRecord parcel : waiting) {
      if (now - parcel.since > PATIENCE_NANOS) {
        warn(now, why);
        return;
      }
    }
  }

  private void warn(long now, String why) {
    if (warned && now - warnedAt < WARNING_PERIOD_NANOS) {
      return;
    }
    warned = true;
    warnedAt = now;
    ClusterProducer current = link;
    LOG.warn(
        "Cannot produce to topic {} at {}: {}; {} messages wait in the store and are retried",
        topic,
        current == null ? "an unknown cluster" : current.bootstrap(),
        why,
        waiting.size() + sent.get());
  }
}
