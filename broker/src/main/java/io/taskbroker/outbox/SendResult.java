package io.taskbroker.outbox;

import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/// What a failure to produce means.
enum SendResult {
  /// Kafka does not take this record (H19).
  REFUSED,
  /// Kafka takes no record of the topic as things stand: an operator can mend that at any time.
  TOPIC_REFUSES,
  /// Later it may work.
  LATER,
  /// Later it may work, but with another producer: this one may be in a state that it cannot leave.
  LATER_ANEW;

  static SendResult of(Exception failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof RecordTooLargeException
          || cause instanceof SerializationException
          || cause instanceof InvalidTopicException) {
        return REFUSED;
      }
      // Nothing of a record but its size, which is another error, is other than in those before.
      if (cause instanceof InvalidRecordException
          || cause instanceof InvalidTimestampException
          || cause instanceof PolicyViolationException
          || cause instanceof TopicAuthorizationException) {
        return TOPIC_REFUSES;
      }
    }
    return failure instanceof RetriableException ? LATER : LATER_ANEW;
  }

  /// Whether Kafka, or its client, found a record too large.
  static boolean isTooLarge(Exception failure) {
    return has(RecordTooLargeException.class, failure);
  }

  /// Whether Kafka found a record invalid, as a compacted topic does with one without a key.
  static boolean isInvalidRecord(Exception failure) {
    return has(InvalidRecordException.class, failure);
  }

  private static boolean has(Class<? extends Exception> kind, Exception failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (kind.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }

  /// The same of a record that a producer had taken. If it was not delivered in time, the producer
  /// may never deliver anything: Kafka's is in such a state after a login that failed once, or
  /// after the first of several batches went astray, and does not say so.
  static SendResult ofTaken(Exception failure) {
    return failure instanceof TimeoutException ? LATER_ANEW : of(failure);
  }

  /// The cause that says most, in one line.
  static String reason(Exception failure) {
    Throwable cause = failure;
    while (cause.getCause() instanceof KafkaException deeper) {
      cause = deeper;
    }
    if (cause instanceof UnknownTopicOrPartitionException) {
      return "the topic does not exist";
    }
    String message = cause.getMessage();
    return cause.getClass().getSimpleName()
        + (message == null ? "" : ": " + message.lines().findFirst().orElse(""));
  }
}
