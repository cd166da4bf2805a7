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

/// Class of a failure to produce a record.
enum SendResult {
  /// Kafka does not accept this record (H19).
  REFUSED,
  /// Kafka accepts no record of the topic as things stand; an operator can fix that at any time.
  TOPIC_REFUSES,
  /// Retry with the same producer.
  RETRY,
  /// Retry with a new producer: this one may be in a state that it cannot leave.
  RETRY_WITH_NEW_PRODUCER;

  static SendResult of(Exception failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof RecordTooLargeException
          || cause instanceof SerializationException
          || cause instanceof InvalidTopicException) {
        return REFUSED;
      }
      // Records differ from earlier ones only in size, which is another error.
      if (cause instanceof InvalidRecordException
          || cause instanceof InvalidTimestampException
          || cause instanceof PolicyViolationException
          || cause instanceof TopicAuthorizationException) {
        return TOPIC_REFUSES;
      }
    }
    return failure instanceof RetriableException ? RETRY : RETRY_WITH_NEW_PRODUCER;
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

  /// Class of a failure of a record that a producer had accepted. After a delivery timeout the
  /// producer may never deliver anything again. Kafka's producer is in such a state after one
  /// failed login, or after the first of several batches was lost, and does not report it.
  static SendResult ofTaken(Exception failure) {
    return failure instanceof TimeoutException ? RETRY_WITH_NEW_PRODUCER : of(failure);
  }

  /// The most specific cause, in one line.
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
