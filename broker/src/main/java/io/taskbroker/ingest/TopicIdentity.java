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

/// Notices that a topic was deleted and made again: a consumer would go on at the offset that it
/// had in the old one, and skip what is below it in the new one (H5). Asks every few seconds, and
/// never waits for the answer. Used by the reader's thread only.
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

  /// Whether the topic of that UUID is no more, and there is another of its name.
  boolean isAnother(Admin admin, String topicId) {
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
      return false; // who cannot answer, or knows of no such topic, says nothing of another
    }
    try {
      TopicDescription description = answer.getNow(null);
      return !description.topicId().toString().equals(topicId);
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException("An answer that is there could not be had", e);
    }
  }
}
