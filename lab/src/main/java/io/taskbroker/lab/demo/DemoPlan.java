package io.taskbroker.lab.demo;

import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.TaskTemplate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;

/// Kind, activation and behaviour of every task, determined by the seed except for ids and times.
/// Immutable; a [Behaviour] for any worker.
final class DemoPlan implements Behaviour {
  private static final Duration EXPIRED_BY = Duration.ofSeconds(60);
  private static final int MIN_TASKS_FOR_ALL_KINDS = 20;
  private static final int MAX_DELAY_SECONDS = 3;
  private static final int RETRY_DELAY_SECONDS = 1;
  private static final int RETRY_ATTEMPTS = 3;

  private final DemoTaskKind[] kinds;
  private final Map<DemoTaskKind, Integer> counts = new EnumMap<>(DemoTaskKind.class);
  private final int millis;
  private final int deadlineSeconds;

  DemoPlan(int tasks, int millis, long seed) {
    this.millis = millis;
    deadlineSeconds = Math.max(10, 5 + 2 * Math.ceilDiv(millis, 1_000));
    kinds = new DemoTaskKind[tasks];
    int used = 0;
    for (DemoTaskKind kind : DemoTaskKind.values()) {
      int count = kind == DemoTaskKind.PLAIN ? 0 : count(kind, tasks);
      for (int i = 0; i < count; i++) {
        kinds[used++] = kind;
      }
      counts.put(kind, count);
    }
    Arrays.fill(kinds, used, tasks, DemoTaskKind.PLAIN);
    counts.put(DemoTaskKind.PLAIN, tasks - used);
    shuffle(new SplittableRandom(seed));
  }

  private static int count(DemoTaskKind kind, int tasks) {
    int least = tasks < MIN_TASKS_FOR_ALL_KINDS ? 0 : 1;
    return Math.max(least, (int) (tasks * kind.share));
  }

  private void shuffle(SplittableRandom random) {
    for (int i = kinds.length - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      DemoTaskKind kind = kinds[i];
      kinds[i] = kinds[other];
      kinds[other] = kind;
    }
  }

  int tasks() {
    return kinds.length;
  }

  DemoTaskKind kind(int number) {
    return kinds[number];
  }

  int count(DemoTaskKind kind) {
    return counts.getOrDefault(kind, 0);
  }

  /// Delay of the task.
  int delaySeconds(int number) {
    return kind(number) == DemoTaskKind.DELAYED ? 1 + number % MAX_DELAY_SECONDS : 0;
  }

  /// The activation to publish for the task.
  TaskActivation task(int number, TaskTemplate template) {
    TaskActivation.Builder task =
        template.task(number).setProcessingDeadlineDuration(deadlineSeconds);
    var retry = task.getRetryStateBuilder();
    switch (kind(number)) {
      case PLAIN -> {}
      case DELAYED -> task.setDelay(delaySeconds(number));
      case RETRIED -> retry.setMaxAttempts(RETRY_ATTEMPTS).setDelayOnRetry(RETRY_DELAY_SECONDS);
      case FAILING ->
          retry.setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
      case OVERRUNNING ->
          task.setProcessingDeadlineDuration(Math.ceilDiv(2 * millis, 1_000) + number % 2);
      case AT_MOST_ONCE -> retry.setAtMostOnce(true);
      case EXPIRED ->
          task.setReceivedAt(TaskTemplate.timestamp(Instant.now().minus(EXPIRED_BY))).setExpires(1);
    }
    return task.build();
  }

  @Override
  public Run run(TaskActivation activation, int start) {
    int number = TaskTemplate.numberOf(activation);
    if (number < 0 || number >= kinds.length) {
      return Run.completing(millis);
    }
    return switch (kind(number)) {
      case PLAIN, DELAYED, AT_MOST_ONCE, EXPIRED -> Run.completing(millis);
      case RETRIED ->
          activation.getRetryState().getAttempts() == 0
              ? Run.retrying(millis, RETRY_ATTEMPTS, RETRY_DELAY_SECONDS)
              : Run.completing(millis);
      case FAILING -> Run.failing(millis);
      case OVERRUNNING -> start == 1 ? Run.silent(millis) : Run.completing(millis);
    };
  }
}
