package io.taskbroker.activation;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The retry policy in the payload of an enqueued task.
final class NextAttemptTest {
  private static final RetryPolicy.Builder TEN =
      RetryPolicy.newBuilder().setMaxAttempts(10).setDelayMs(100);

  @Test
  void thereAreAsManyAttemptsAsThePolicySays() {
    assertThat(after(RetryPolicy.newBuilder())).isEmpty();
    assertThat(after(RetryPolicy.newBuilder().setMaxAttempts(1))).isEmpty();
    assertThat(after(RetryPolicy.newBuilder().setMaxAttempts(2))).contains(new NextAttempt(1, 0));
    assertThat(after(RetryPolicy.newBuilder().setMaxAttempts(2).setAttempts(1))).isEmpty();
    assertThat(NextAttempt.after(new byte[] {1}, 5, -1, new SplittableRandom(1))).isEmpty();
  }

  @Test
  void theWorkerMayChooseOtherwise() {
    byte[] payload = payload(TEN);
    var random = new SplittableRandom(1);
    assertThat(NextAttempt.after(payload, 1, -1, random)).isEmpty();
    assertThat(NextAttempt.after(payload, -1, 7, random)).contains(new NextAttempt(1, 7));
  }

  @Test
  void delaysGrowUpToTheirMaximum() {
    assertThat(after(TEN.clone().setAttempts(3))).contains(new NextAttempt(4, 100));
    RetryPolicy.Builder doubling = TEN.clone().setGrowthPercent(200).setMaxDelayMs(350);
    assertThat(after(doubling)).contains(new NextAttempt(1, 100));
    assertThat(after(doubling.setAttempts(1))).contains(new NextAttempt(2, 200));
    assertThat(after(doubling.setAttempts(2))).contains(new NextAttempt(3, 350));
  }

  @Test
  void jitterTakesOffUpToItsPart() {
    var random = new SplittableRandom(1);
    byte[] payload = payload(TEN.clone().setJitterPercent(50));
    for (int i = 0; i < 1_000; i++) {
      assertThat(NextAttempt.after(payload, -1, -1, random).orElseThrow().delay())
          .isBetween(50L, 100L);
    }
  }

  @Test
  void aTaskThatIsRetriedForEverDoesNotGrow() throws Exception {
    RetryPolicy forever = RetryPolicy.newBuilder().setMaxAttempts(-1).setDelayMs(1).build();
    Activation task = enqueued(payload(forever.toBuilder()));
    byte[] first = task.payload();
    for (int attempt = 1; attempt <= 1_000; attempt++) {
      NextAttempt next =
          NextAttempt.after(task.payload(), -1, -1, new SplittableRandom(1)).orElseThrow();
      task = next.of(task, 0);
      assertThat(Task.parseFrom(task.payload()))
          .isEqualTo(
              Task.newBuilder()
                  .setId("a")
                  .setRetry(forever.toBuilder().setAttempts(attempt))
                  .build());
    }
    assertThat(task.payload()).hasSize(first.length + 5);
  }

  private static Activation enqueued(byte[] payload) {
    return new Activation(
        "a",
        "shop",
        "post",
        "mail",
        payload,
        Origin.enqueued(0),
        0,
        Activation.NEVER,
        0,
        30,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  private static Optional<NextAttempt> after(RetryPolicy.Builder policy) {
    return NextAttempt.after(payload(policy), -1, -1, new SplittableRandom(1));
  }

  private static byte[] payload(RetryPolicy.Builder policy) {
    return Task.newBuilder().setId("a").setRetry(policy).build().toByteArray();
  }
}
