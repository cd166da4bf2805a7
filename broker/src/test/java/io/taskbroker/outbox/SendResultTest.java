package io.taskbroker.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

/// Classes of Kafka's refusals.
final class SendResultTest {
  @Test
  void h19OnlyAFaultOfTheRecordIsFinal() {
    assertThat(SendResult.of(new RecordTooLargeException())).isEqualTo(SendResult.REFUSED);
    assertThat(SendResult.of(new ExecutionException(new RecordTooLargeException())))
        .isEqualTo(SendResult.REFUSED);
    assertThat(SendResult.of(new TopicAuthorizationException("retries")))
        .isEqualTo(SendResult.TOPIC_REFUSES);
    assertThat(SendResult.of(new InvalidRecordException("no key")))
        .isEqualTo(SendResult.TOPIC_REFUSES);
    assertThat(SendResult.of(new PolicyViolationException("no")))
        .isEqualTo(SendResult.TOPIC_REFUSES);
    assertThat(SendResult.of(new InvalidTimestampException("late")))
        .isEqualTo(SendResult.TOPIC_REFUSES);
    assertThat(SendResult.of(new NotLeaderOrFollowerException())).isEqualTo(SendResult.RETRY);
    assertThat(SendResult.of(new OutOfOrderSequenceException("")))
        .isEqualTo(SendResult.RETRY_WITH_NEW_PRODUCER);
  }

  @Test
  void aDeliveryTimeoutNeedsANewProducer() {
    assertThat(SendResult.of(new TimeoutException("no metadata"))).isEqualTo(SendResult.RETRY);
    assertThat(SendResult.ofTaken(new TimeoutException("expired")))
        .isEqualTo(SendResult.RETRY_WITH_NEW_PRODUCER);
    assertThat(SendResult.ofTaken(new NotLeaderOrFollowerException())).isEqualTo(SendResult.RETRY);
    assertThat(SendResult.ofTaken(new RecordTooLargeException())).isEqualTo(SendResult.REFUSED);
  }
}
