package io.taskbroker.ingest;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.jspecify.annotations.Nullable;

/// Detector of a recreated topic. A consumer would go on at its offset in the old topic, and skip
/// everything below it in the new one (H5). It asks every few seconds, and never waits for the
/// answer. Used by the reader's thread only.
final class TopicIdentity {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final int TIMEOUT_MILLIS = 3_000;

  private final String topic;
  private final LongSupplier nanoTime;
  private @Nullable KafkaFuture<TopicDescription> asked;
  private long askAt;

  TopicIdentity(String topic, LongSupplier nanoTime) {
    this.topic = topic;
    this.nanoTime = nanoTime;
    this.askAt = nanoTime.getAsLong() + INTERVAL_NANOS;
  }

  /// Whether the topic with that UUID was deleted and another has its name.
  boolean isRecreated(Admin admin, String topicId) {
    KafkaFuture<TopicDescription> answer = asked;
    if (answer == null) {
      if (nanoTime.getAsLong() - askAt >= 0) {
        var options = new DescribeTopicsOptions().timeoutMs(TIMEOUT_MILLIS);
        asked = admin.describeTopics(List.of(topic), options).topicNameValues().get(topic);
      }
      return false;
    }
    if (!answer.isDone()) {
      return false;
    }
    asked = null;
    askAt = nanoTime.getAsLong() + INTERVAL_NANOS;
    if (answer.isCompletedExceptionally()) {
      return false; // a failure, or an unknown topic, does not prove a recreated one
    }
    try {
      TopicDescription description = answer.getNow(null);
      return !description.topicId().toString().equals(topicId);
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException("A completed answer cannot be read", e);
    }
  }
}
