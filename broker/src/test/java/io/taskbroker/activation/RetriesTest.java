package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import io.taskbroker.activation.Retries.Retry;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import org.junit.jupiter.api.Test;

final class RetriesTest {
  private static final long NOW = 1_700_000_000_123L;
  private static final Timestamp NOW_TIMESTAMP =
      Timestamp.newBuilder().setSeconds(1_700_000_000L).setNanos(123_000_000).build();
  private static final UnknownFieldSet UNKNOWN =
      UnknownFieldSet.newBuilder()
          .addField(
              77,
              UnknownFieldSet.Field.newBuilder()
                  .addLengthDelimited(ByteString.copyFromUtf8("from the future"))
                  .addVarint(9)
                  .build())
          .build();

  @Test
  void changesOnlyIdTimeAndAttempts() throws Exception {
    TaskActivation failed =
        full()
            .setRetryState(
                RetryState.newBuilder()
                    .setAttempts(2)
                    .setMaxAttempts(5)
                    .setOnAttemptsExceededValue(42)
                    .setAtMostOnce(true)
                    .setUnknownFields(UNKNOWN))
            .build();

    Retry retry = Retries.of(failed.toByteArray(), "a", 0, -1, -1, NOW).orElseThrow();

    assertThat(retry.id()).isEqualTo(Ids.retry("a", 3));
    assertThat(retry.attempts()).isEqualTo(3);
    assertThat(TaskActivation.parseFrom(retry.payload()))
        .isEqualTo(
            failed.toBuilder()
                .setId(retry.id())
                .setReceivedAt(NOW_TIMESTAMP)
                .putHeaders("taskbroker-first-id", "a")
                .clearDelay()
                .setRetryState(failed.getRetryState().toBuilder().setAttempts(3))
                .build());
  }

  @Test
  void keepsUnknownFieldsAndHeaders() throws Exception {
    Retry retry = Retries.of(full().build().toByteArray(), "a", 0, -1, -1, NOW).orElseThrow();

    TaskActivation activation = TaskActivation.parseFrom(retry.payload());
    assertThat(activation.getUnknownFields()).isEqualTo(UNKNOWN);
    assertThat(activation.getHeadersMap())
        .containsEntry("k", "v")
        .containsEntry("", "")
        .containsEntry("taskbroker-first-id", "a")
        .hasSize(3);
    assertThat(activation.getExpires()).isEqualTo(60);
  }

  /// The delay counts from `received_at`, whose millisecond is already running.
  @Test
  void g5DelayIsNotShortenedByAFractionOfAMillisecond() throws Exception {
    byte[] failed = full().setRetryState(RetryState.newBuilder()).build().toByteArray();
    assertThat(retried(failed, -1, 7).getReceivedAt()).isEqualTo(Timestamps.ofMillis(NOW + 1));
    assertThat(retried(failed, -1, -1).getReceivedAt()).isEqualTo(Timestamps.ofMillis(NOW));
  }

  @Test
  void delayFollowsDelayOnRetry() throws Exception {
    byte[] failed =
        full().setRetryState(RetryState.newBuilder().setDelayOnRetry(30)).build().toByteArray();

    assertThat(retried(failed, -1, -1).getDelay()).isEqualTo(30);
    assertThat(retried(failed, -1, 7).getDelay()).isEqualTo(7);
    assertThat(retried(failed, -1, 7).getRetryState().getDelayOnRetry()).isEqualTo(7);
    assertThat(retried(failed, -1, 0).hasDelay()).isTrue();
    assertThat(retried(failed, -1, 0).getDelay()).isZero();
  }

  @Test
  void storesTheRetryOptionsOfTheWorker() throws Exception {
    byte[] failed =
        full()
            .setRetryState(
                RetryState.newBuilder()
                    .setMaxAttempts(3)
                    .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER))
            .build()
            .toByteArray();

    RetryState state = retried(failed, 4_294_967_295L, 12).getRetryState();

    assertThat(Integer.toUnsignedLong(state.getMaxAttempts())).isEqualTo(4_294_967_295L);
    assertThat(state.getDelayOnRetry()).isEqualTo(12);
    assertThat(state.getAttempts()).isEqualTo(1);
    assertThat(state.getOnAttemptsExceeded())
        .isEqualTo(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
    assertThat(retried(failed, 0, -1).getRetryState().getMaxAttempts()).isZero();
  }

  @Test
  void createsARetryStateOnlyForNonDefaultValues() throws Exception {
    byte[] failed = full().clearRetryState().build().toByteArray();

    assertThat(retried(failed, -1, -1).hasRetryState()).isFalse();
    assertThat(retried(failed, 0, 0).hasRetryState()).isFalse();
    assertThat(retried(failed, 0, 0).hasDelay()).isFalse();
    assertThat(retried(failed, 2, -1).getRetryState())
        .isEqualTo(RetryState.newBuilder().setAttempts(1).setMaxAttempts(2).build());
    assertThat(retried(failed, -1, 5).getRetryState())
        .isEqualTo(RetryState.newBuilder().setAttempts(1).setDelayOnRetry(5).build());
    assertThat(retried(failed, -1, 5).getDelay()).isEqualTo(5);
  }

  @Test
  void sameAttemptHasTheSameIdAndTheNextAnother() {
    byte[] failed = full().clearRetryState().build().toByteArray();

    Retry first = Retries.of(failed, "a", 0, -1, -1, NOW).orElseThrow();
    Retry copy = Retries.of(failed, "a", 0, -1, -1, NOW + 5000).orElseThrow();
    Retry second = Retries.of(first.payload(), first.id(), 0, -1, -1, NOW).orElseThrow();

    assertThat(copy.id()).isEqualTo(first.id());
    assertThat(second.id()).isNotEqualTo(first.id());
  }

  @Test
  void attemptsDoNotWrapAround() throws Exception {
    byte[] failed =
        full().setRetryState(RetryState.newBuilder().setAttempts(-1)).build().toByteArray();

    assertThat(retried(failed, -1, -1).getRetryState().getAttempts()).isEqualTo(-1);
  }

  @Test
  void undecodablePayloadHasNoRetry() {
    assertThat(Retries.of("\377not protobuf".getBytes(UTF_8), "a", 0, -1, -1, NOW)).isEmpty();
  }

  private static TaskActivation retried(byte[] failed, long maxAttempts, long delayOnRetry)
      throws Exception {
    Retry retry = Retries.of(failed, "a", 0, maxAttempts, delayOnRetry, NOW).orElseThrow();
    return TaskActivation.parseFrom(retry.payload());
  }

  private static TaskActivation.Builder full() {
    return TaskActivation.newBuilder()
        .setId("a")
        .setNamespace("ns")
        .setTaskname("mod.task")
        .putHeaders("k", "v")
        .putHeaders("", "")
        .setReceivedAt(Timestamp.newBuilder().setSeconds(5))
        .setProcessingDeadlineDuration(10)
        .setExpires(60)
        .setDelay(99)
        .setApplication("app")
        .setParametersBytes(ByteString.copyFromUtf8("args"))
        .setUnknownFields(UNKNOWN);
  }
}
