package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import org.junit.jupiter.api.Test;

final class RetriesTest {
  private static final long NOW = 1_700_000_000_123L;
  private static final TaskActivation FAILED =
      TaskActivation.newBuilder()
          .setId("x")
          .setApplication("app")
          .setNamespace("ns")
          .setTaskname("task")
          .setParametersBytes(ByteString.copyFromUtf8("{}"))
          .putHeaders("trace", "1")
          .setReceivedAt(Timestamp.newBuilder().setSeconds(1))
          .setProcessingDeadlineDuration(9)
          .setExpires(77)
          .setDelay(5)
          .setUnknownFields(
              UnknownFieldSet.newBuilder()
                  .addField(999, UnknownFieldSet.Field.newBuilder().addVarint(42).build())
                  .build())
          .build();

  @Test
  void idReceivedAtDelayAndRetryStateAreRewrittenAndAllElseStays()
      throws InvalidProtocolBufferException {
    var state = RetryState.newBuilder().setAttempts(2).setMaxAttempts(5).setAtMostOnce(true);
    TaskActivation failed = FAILED.toBuilder().setRetryState(state).build();

    Retries.Retry retry = retryOf(failed, -1, -1);
    TaskActivation next = TaskActivation.parseFrom(retry.payload());

    assertThat(retry.id()).isEqualTo(Ids.retry("x", 3)).isEqualTo(next.getId());
    assertThat(retry.attempts()).isEqualTo(3);
    assertThat(next.getReceivedAt())
        .isEqualTo(Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(123_000_000).build());
    assertThat(next.hasDelay()).isFalse();
    assertThat(next.getRetryState()).isEqualTo(state.setAttempts(3).build());
    TaskActivation.Builder rest =
        next.toBuilder().setId("x").setReceivedAt(failed.getReceivedAt()).setDelay(5);
    assertThat(rest.setRetryState(failed.getRetryState()).build()).isEqualTo(failed);
  }

  @Test
  void sameFailureGivesTheSameId() {
    assertThat(retryOf(FAILED, -1, -1).id()).isEqualTo(retryOf(FAILED, -1, -1).id());
  }

  @Test
  void attemptAfterAttemptHasAnotherId() throws InvalidProtocolBufferException {
    var failed = FAILED.toBuilder().setRetryState(RetryState.getDefaultInstance()).build();
    Retries.Retry first = retryOf(failed, -1, -1);
    Retries.Retry second = Retries.of(first.payload(), first.id(), -1, -1, NOW).orElseThrow();
    assertThat(second.attempts()).isEqualTo(2);
    assertThat(second.id()).isNotEqualTo(first.id());
    assertThat(TaskActivation.parseFrom(second.payload()).getRetryState().getAttempts())
        .isEqualTo(2);
  }

  @Test
  void boundAndDelayOfTheWorkerWin() throws InvalidProtocolBufferException {
    var state = RetryState.newBuilder().setMaxAttempts(5).setDelayOnRetry(60);
    TaskActivation failed = FAILED.toBuilder().setRetryState(state).build();
    TaskActivation next = TaskActivation.parseFrom(retryOf(failed, 9, 30).payload());
    assertThat(next.getRetryState().getMaxAttempts()).isEqualTo(9);
    assertThat(next.getRetryState().getDelayOnRetry()).isEqualTo(30);
    assertThat(next.getDelay()).isEqualTo(30);
  }

  @Test
  void delayOfTheTaskIsKeptWhenTheWorkerGaveNone() throws InvalidProtocolBufferException {
    var state = RetryState.newBuilder().setDelayOnRetry(60);
    TaskActivation failed = FAILED.toBuilder().setRetryState(state).build();
    TaskActivation next = TaskActivation.parseFrom(retryOf(failed, -1, -1).payload());
    assertThat(next.getDelay()).isEqualTo(60);
  }

  @Test
  void countDoesNotWrapAround() throws InvalidProtocolBufferException {
    var failed = FAILED.toBuilder().setRetryState(RetryState.newBuilder().setAttempts(-1)).build();
    Retries.Retry retry = retryOf(failed, -1, -1);
    assertThat(retry.attempts()).isEqualTo(0xFFFFFFFFL);
    assertThat(TaskActivation.parseFrom(retry.payload()).getRetryState().getAttempts())
        .isEqualTo(-1);
  }

  @Test
  void whatIsNoActivationCannotBeRetried() {
    assertThat(Retries.of("poison".getBytes(UTF_8), "x", -1, -1, NOW)).isEmpty();
  }

  private static Retries.Retry retryOf(TaskActivation failed, long maxAttempts, long delay) {
    return Retries.of(failed.toByteArray(), "x", maxAttempts, delay, NOW).orElseThrow();
  }
}
