package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Retries.Retry;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Fuzzing of the retry of arbitrary payloads and worker options (reference-spec 5).
final class RetriesFuzzTest {
  private static final long NOW = 1_700_000_000_123L;

  @MethodSource("seeds")
  @FuzzTest
  void retryChangesOnlyItsOwnFields(byte[] input) throws InvalidProtocolBufferException {
    var portions = new Portions(input);
    String id = portions.text();
    long maxAttempts = bounded(portions.large());
    long delay = portions.large();
    byte[] payload = portions.rest();

    Optional<Retry> made = Retries.of(payload, id, 0, maxAttempts, delay, NOW);

    String firstId = firstId(id, payload);

    TaskActivation failed;
    try {
      failed = TaskActivation.parseFrom(payload);
    } catch (InvalidProtocolBufferException _) {
      assertThat(made).isEmpty();
      return;
    }
    Retry retry = made.orElseThrow();
    assertThat(Retries.of(payload, id, 0, maxAttempts, delay, NOW + 1).orElseThrow().id())
        .isEqualTo(retry.id());
    assertThat(Ids.isDerived(retry.id())).isTrue();
    TaskActivation sent = TaskActivation.parseFrom(retry.payload());
    RetryState before = failed.getRetryState();
    RetryState after = sent.getRetryState();
    long attempts = Integer.toUnsignedLong(before.getAttempts());
    assertThat(retry.attempts()).isEqualTo(Math.min(attempts + 1, 0xFFFFFFFFL));
    if (sent.hasRetryState()) {
      assertThat(Integer.toUnsignedLong(after.getAttempts())).isEqualTo(retry.attempts());
    }
    if (sent.hasRetryState() && maxAttempts >= 0) {
      assertThat(Integer.toUnsignedLong(after.getMaxAttempts())).isEqualTo(maxAttempts);
    }
    assertThat(sent.hasRetryState())
        .isEqualTo(failed.hasRetryState() || maxAttempts > 0 || delay > 0);
    assertThat(sent.hasDelay()).isEqualTo(after.hasDelayOnRetry());
    assertThat(sent.getDelay()).isEqualTo(after.getDelayOnRetry());
    assertThat(sent.getId()).isEqualTo(retry.id());
    // The delay counts from the next millisecond: this one is already running (G5).
    assertThat(sent.getReceivedAt())
        .isEqualTo(Timestamps.ofMillis(NOW + (sent.hasDelay() ? 1 : 0)));
    assertThat(rest(sent)).isEqualTo(rest(failed));
    if (!id.isEmpty() && id.getBytes(UTF_8).length <= 512) {
      assertThat(firstId(retry.id(), retry.payload()))
          .as("first id of the retry")
          .isEqualTo(firstId);
    }
  }

  /// First id as logged. Must not throw for any payload.
  private static String firstId(String id, byte[] payload) {
    Origin origin = new Origin("t", 0, 0);
    Activation of = Activation.undecodable(origin, 0, payload, 0);
    String first = TaskIdentity.of(of).firstId();
    return first.equals(of.id()) ? id : first;
  }

  /// Worker option: absent, or a 32-bit number.
  private static long bounded(long number) {
    return number < 0 ? -1 : number & 0xFFFFFFFFL;
  }

  /// Everything that a retry shares with the failed activation, unknown fields included.
  private static TaskActivation rest(TaskActivation activation) {
    RetryState state = activation.getRetryState();
    return activation.toBuilder()
        .clearId()
        .removeHeaders(TaskIdentity.FIRST_ID_HEADER)
        .clearReceivedAt()
        .clearDelay()
        .setRetryState(state.toBuilder().clearAttempts().clearMaxAttempts().clearDelayOnRetry())
        .build();
  }

  static Stream<byte[]> seeds() {
    var retried =
        TaskActivation.newBuilder()
            .setId("id")
            .setTaskname("task")
            .setExpires(5)
            .setDelay(7)
            .setRetryState(
                RetryState.newBuilder().setAttempts(-1).setMaxAttempts(3).setDelayOnRetry(9))
            .build();
    return Stream.of(
        seed(-1, -1, TaskActivation.newBuilder().setId("id").setDelay(3).build()),
        seed(5, 0, TaskActivation.newBuilder().setId("id").build()),
        seed(0, Long.MAX_VALUE, retried),
        seed(-1, -1, retried));
  }

  private static byte[] seed(long maxAttempts, long delay, TaskActivation payload) {
    return new Portions.Seed()
        .text("id")
        .large(maxAttempts)
        .large(delay)
        .rest(payload.toByteArray());
  }
}
