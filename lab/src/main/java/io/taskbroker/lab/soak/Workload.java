package io.taskbroker.lab.soak;

import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.TaskTemplate;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;

/// Kind, publication time and behaviour of every task, determined by the seed except for the clock.
/// Immutable; a [Behaviour] for any worker.
final class Workload implements Behaviour {
  static final String DEMOTABLE_NAMESPACE = "demotable";
  static final String SWITCHED_TASK = "soak.switched";

  /// Delay beyond which tasks are parked until they are due, with a margin.
  static final Duration HORIZON = Duration.ofSeconds(305);

  static final int MAX_ATTEMPTS = 3;
  private static final int RETRY_DELAY_SECONDS = 1;
  static final int EXPIRY_SECONDS = 2;
  private static final Duration EXPIRED_BY = Duration.ofSeconds(60);
  private static final Duration PERIOD = Duration.ofSeconds(10);
  private static final int BURSTS_ONE_OF = 3;
  private static final int MAIL_ONE_OF = 8;
  private static final int LARGE_BYTES = 200_000;

  private final SoakOptions options;
  private final Map<SoakTaskKind, Integer> counts = new EnumMap<>(SoakTaskKind.class);
  private final SoakTaskKind[] kinds;

  Workload(SoakOptions options) {
    this.options = options;
    kinds = new SoakTaskKind[options.tasks()];
    for (int number = 0; number < kinds.length; number++) {
      kinds[number] = draw(number);
      counts.merge(kinds[number], 1, Integer::sum);
    }
  }

  private SoakTaskKind draw(int number) {
    double luck = random(number).nextDouble();
    for (SoakTaskKind kind : SoakTaskKind.values()) {
      luck -= kind.share;
      if (luck < 0) {
        boolean tooLate =
            kind == SoakTaskKind.FAR
                && publishedAfter(number).plus(HORIZON).compareTo(options.load()) > 0;
        return tooLate ? SoakTaskKind.DELAYED : kind;
      }
    }
    return SoakTaskKind.PLAIN;
  }

  private SplittableRandom random(long number) {
    return new SplittableRandom(options.seed() * 0x9E37_79B9_7F4A_7C15L + number).split();
  }

  int tasks() {
    return kinds.length;
  }

  SoakTaskKind kind(int number) {
    return kinds[number];
  }

  int count(SoakTaskKind kind) {
    return counts.getOrDefault(kind, 0);
  }

  Application application(int number) {
    return switch (kind(number)) {
      case RAW -> Application.CLICKS;
      case SLOW -> Application.MAIL;
      default -> number % MAIL_ONE_OF == 0 ? Application.MAIL : Application.SHOP;
    };
  }

  /// Publication time of the task. In one of three periods of ten seconds all of them are published
  /// at once.
  Duration publishedAfter(int number) {
    long perPeriod = options.rate() * PERIOD.toSeconds();
    long period = number / perPeriod;
    Duration begin = PERIOD.multipliedBy(period);
    boolean burst = random(-1 - period).nextInt(BURSTS_ONE_OF) == 0;
    return burst
        ? begin
        : begin.plus(
            Duration.ofSeconds(1).multipliedBy(number % perPeriod).dividedBy(options.rate()));
  }

  /// Delay of the task.
  int delaySeconds(int number) {
    return switch (kind(number)) {
      case DELAYED -> 1 + number % 8;
      case FAR -> (int) HORIZON.toSeconds() + number % 20;
      default -> 0;
    };
  }

  /// Duration of each execution of the task.
  long millis(int number) {
    return kind(number) == SoakTaskKind.SLOW ? 500 + number % 2_000 : 5 + number % 50;
  }

  /// The activation to publish for a task, except one of the raw topic.
  TaskActivation activation(int number, TaskTemplate template) {
    TaskActivation.Builder task =
        template.task(number).setApplication(application(number).toString());
    var retry = task.getRetryStateBuilder();
    switch (kind(number)) {
      case PLAIN, SLOW, RAW -> {}
      case LARGE -> task.setParametersBytes(large(number));
      case DELAYED, FAR -> task.setDelay(delaySeconds(number));
      case RETRIED -> retry.setMaxAttempts(MAX_ATTEMPTS).setDelayOnRetry(RETRY_DELAY_SECONDS);
      case OVERRUNNING -> task.setProcessingDeadlineDuration(2);
      case EXHAUSTED -> retry.setMaxAttempts(MAX_ATTEMPTS).setOnAttemptsExceeded(deadLetter());
      case FAILING -> retry.setOnAttemptsExceeded(deadLetter());
      case DISCARDED -> {}
      case EXPIRED -> {
        task.setReceivedAt(TaskTemplate.timestamp(Instant.now().minus(EXPIRED_BY))).setExpires(1);
        retry.setOnAttemptsExceeded(deadLetter());
      }
      case EXPIRING -> {
        task.setExpires(EXPIRY_SECONDS);
        retry.setOnAttemptsExceeded(deadLetter());
      }
      case AT_MOST_ONCE -> {
        task.setProcessingDeadlineDuration(4);
        retry.setAtMostOnce(true).setOnAttemptsExceeded(deadLetter());
      }
      case SWITCHED -> task.setTaskname(SWITCHED_TASK);
      case DEMOTABLE -> task.setNamespace(DEMOTABLE_NAMESPACE);
    }
    return task.build();
  }

  private static OnAttemptsExceeded deadLetter() {
    return OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER;
  }

  /// Random bytes, which do not compress.
  private ByteString large(int number) {
    byte[] bytes = new byte[LARGE_BYTES + number % LARGE_BYTES];
    random(number).nextBytes(bytes);
    return ByteString.copyFrom(bytes);
  }

  @Override
  public Run run(TaskActivation activation, int start) {
    int number = TaskTemplate.numberOf(activation);
    if (number < 0 || number >= kinds.length) {
      return Run.completing(1);
    }
    long millis = millis(number);
    return switch (kind(number)) {
      case PLAIN,
          SLOW,
          RAW,
          LARGE,
          DELAYED,
          FAR,
          EXPIRED,
          EXPIRING,
          AT_MOST_ONCE,
          SWITCHED,
          DEMOTABLE ->
          Run.completing(millis);
      case RETRIED ->
          activation.getRetryState().getAttempts() == 0
              ? Run.retrying(millis, MAX_ATTEMPTS, RETRY_DELAY_SECONDS)
              : Run.completing(millis);
      case EXHAUSTED ->
          activation.getRetryState().getAttempts() < MAX_ATTEMPTS - 1
              ? Run.retrying(millis, MAX_ATTEMPTS, RETRY_DELAY_SECONDS)
              : Run.failing(millis);
      case FAILING, DISCARDED -> Run.failing(millis);
      case OVERRUNNING -> start == 1 ? Run.silent(millis) : Run.completing(millis);
    };
  }
}
