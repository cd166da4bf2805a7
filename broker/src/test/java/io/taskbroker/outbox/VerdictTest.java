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

/// What Kafka's refusals mean.
final class VerdictTest {
  @Test
  void h19OnlyWhatIsWrongWithTheRecordIsForEver() {
    assertThat(Verdict.of(new RecordTooLargeException())).isEqualTo(Verdict.REFUSED);
    assertThat(Verdict.of(new ExecutionException(new RecordTooLargeException())))
        .isEqualTo(Verdict.REFUSED);
    assertThat(Verdict.of(new TopicAuthorizationException("retries")))
        .isEqualTo(Verdict.TOPIC_REFUSES);
    assertThat(Verdict.of(new InvalidRecordException("no key"))).isEqualTo(Verdict.TOPIC_REFUSES);
    assertThat(Verdict.of(new PolicyViolationException("no"))).isEqualTo(Verdict.TOPIC_REFUSES);
    assertThat(Verdict.of(new InvalidTimestampException("late"))).isEqualTo(Verdict.TOPIC_REFUSES);
    assertThat(Verdict.of(new NotLeaderOrFollowerException())).isEqualTo(Verdict.LATER);
    assertThat(Verdict.of(new OutOfOrderSequenceException(""))).isEqualTo(Verdict.LATER_ANEW);
  }

  @Test
  void aProducerThatDeliversNothingInTimeIsNotTrusted() {
    assertThat(Verdict.of(new TimeoutException("no metadata"))).isEqualTo(Verdict.LATER);
    assertThat(Verdict.ofTaken(new TimeoutException("expired"))).isEqualTo(Verdict.LATER_ANEW);
    assertThat(Verdict.ofTaken(new NotLeaderOrFollowerException())).isEqualTo(Verdict.LATER);
    assertThat(Verdict.ofTaken(new RecordTooLargeException())).isEqualTo(Verdict.REFUSED);
  }
}
