package io.taskbroker.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.Ids;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Replays against a real Kafka: each dead letter once, whatever stops a replay.
@Timeout(240)
final class ReplayTest {
  @TempDir private static Path dir;
  private static DeadLetterKafka kafka;

  @BeforeAll
  static void startKafka() {
    kafka = new DeadLetterKafka(dir);
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  @Test
  void everyDeadLetterIsReplayedOnceWithANewId() throws Exception {
    KafkaConfig config = kafka.topics("once", 2);
    kafka.deadLetters("once", 50, 2);
    ReplayReport dry = replay(config, "once-dlq", options().dry());
    assertThat(dry.done()).isEqualTo(50);
    assertThat(kafka.tasks(config, "once-tasks")).isEmpty();

    ReplayReport first = replay(config, "once-dlq", options());
    assertThat(first.done()).isEqualTo(50);
    assertThat(first.byTopic()).isEqualTo(Map.of("once-tasks", 50L));
    assertThat(first.complete()).isTrue();
    ReplayReport second = replay(config, "once-dlq", options());
    assertThat(second.done()).isZero();
    assertThat(second.skipped()).isEqualTo(Map.of(SkipReason.REPLAYED_BEFORE, 50L));
    assertThat(kafka.tasks(config, "once-tasks"))
        .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 50).boxed().toList());
    var replayed = kafka.committed(config, "once-tasks", "once-tasks").getFirst();
    TaskActivation task = TaskActivation.parseFrom(replayed.value());
    assertThat(Ids.isDerived(task.getId())).isTrue();
    assertThat(task.getRetryState().getAttempts()).isZero();
    assertThat(task.getHeadersOrThrow("taskbroker-first-id")).hasSize(32);
    assertThat(new String(replayed.headers().lastHeader("taskbroker-replay-of").value(), UTF_8))
        .startsWith("once-dlq:");
  }

  @Test
  void aLimitStopsAndTheNextReplayGoesOn() throws Exception {
    KafkaConfig config = kafka.topics("limit", 1);
    kafka.deadLetters("limit", 30, 1);
    ReplayReport first = replay(config, "limit-dlq", options().limit(7));
    assertThat(first.done()).isEqualTo(7);
    assertThat(first.complete()).isFalse();
    assertThat(replay(config, "limit-dlq", options()).done()).isEqualTo(23);
    assertThat(kafka.tasks(config, "limit-tasks")).doesNotHaveDuplicates().hasSize(30);
  }

  @Test
  void ofTwoReplaysAtOnceTheFirstEndsAndNothingIsReplayedTwice() throws Exception {
    KafkaConfig config = kafka.topics("two", 2);
    kafka.deadLetters("two", 400, 2);
    var begun = new CountDownLatch(1);
    var secondDone = new CountDownLatch(1);
    var failure = new AtomicReference<Throwable>();
    var waited = new AtomicBoolean();
    Thread older =
        Thread.ofPlatform()
            .start(() -> {
              try {
                Replay.replay(
                    config,
                    "two-dlq",
                    DeadLetterFilter.ALL,
                    options().rate(200).build(),
                    report -> {
                      begun.countDown();
                      if (report.done() > 0 && waited.compareAndSet(false, true)) {
                        await(secondDone);
                      }
                    });
              } catch (Exception e) {
                failure.set(e);
              }
            });
    await(begun);
    ReplayReport second = replay(config, "two-dlq", options());
    secondDone.countDown();
    older.join();
    assertThat(failure.get())
        .isInstanceOf(DeadLetterException.class)
        .hasMessageContaining("Another replay of topic two-dlq has begun");
    assertThat(second.skipped().get(SkipReason.REPLAYED_BEFORE)).isPositive();
    assertThat(kafka.tasks(config, "two-tasks")).doesNotHaveDuplicates().hasSize(400);
  }

  @Test
  void deadLettersOfTheReferenceHaveNoHeadersAndGoToTheOnlyTopic() throws Exception {
    KafkaConfig config = kafka.topics("plain", 1);
    var template = new TaskTemplate("app", "ns", "t", 0, 5);
    byte[] letter = template.deadLettered(1, 3).build().toByteArray();
    kafka.deadLetter("plain-dlq", 0, letter);
    kafka.deadLetter("plain-dlq", 0, letter); // its broker was killed before it knew of the first
    kafka.deadLetter("plain-dlq", 0, new byte[] {1, 2, 3});
    ReplayReport report = replay(config, "plain-dlq", options());
    assertThat(report.done()).isEqualTo(1);
    assertThat(report.skipped()).isEqualTo(Map.of(SkipReason.COPY, 1L, SkipReason.NO_TASK, 1L));
    assertThat(report.unfinished()).isEqualTo(1);
    assertThat(kafka.tasks(config, "plain-tasks")).containsExactly(1);
    assertThat(replay(config, "plain-dlq", options()).skipped())
        .containsEntry(SkipReason.COPY, 1L)
        .containsEntry(SkipReason.REPLAYED_BEFORE, 1L);
  }

  @Test
  void whatCannotRunIsSkippedWithTheReason() throws Exception {
    KafkaConfig config = kafka.topics("skip", 1);
    var template = new TaskTemplate("app", "ns", "t", 0, 6);
    TaskActivation.Builder once = template.deadLettered(0, 1);
    once.getRetryStateBuilder().setAtMostOnce(true);
    kafka.deadLetter("skip-dlq", 0, once.build().toByteArray(), headers("skip-tasks", 0));
    kafka.deadLetter(
        "skip-dlq", 0, template.task(1).build().toByteArray(), headers("elsewhere", 1));
    assertThat(replay(config, "skip-dlq", options()).skipped())
        .isEqualTo(Map.of(SkipReason.AT_MOST_ONCE, 1L, SkipReason.UNDECLARED_TOPIC, 1L));
    ReplayReport forced = replay(config, "skip-dlq", options().to("skip-tasks").atMostOnceToo());
    assertThat(forced.done()).isEqualTo(2);
  }

  @Test
  void discardedOnesAreNotReplayedAndFiltersSelect() throws Exception {
    KafkaConfig config = kafka.topics("drop", 1);
    kafka.deadLetters("drop", 5, 1);
    ReplayReport discarded =
        Replay.discard(
            config,
            "drop-dlq",
            DeadLetterFilter.of(Set.of("0:1", "0:3")),
            options().reason("spam").build(),
            ReplayTest::ignore);
    assertThat(discarded.done()).isEqualTo(2);
    assertThat(replay(config, "drop-dlq", options()).skipped())
        .isEqualTo(Map.of(SkipReason.DISCARDED_BEFORE, 2L));
    assertThat(kafka.tasks(config, "drop-tasks")).containsExactly(0, 2, 4);
    try (DeadLetters letters = DeadLetters.open(config, "drop-dlq")) {
      Resolution resolution = letters.find("0:3").orElseThrow().resolution().orElseThrow();
      assertThat(resolution.action()).isEqualTo(Resolution.Action.DISCARDED);
      assertThat(resolution.reason()).isEqualTo("spam");
    }
  }

  @Test
  void anEditedReplayHasTheNewArguments() throws Exception {
    KafkaConfig config = kafka.topics("edit", 1);
    TaskActivation task =
        Parameters.replace(
            new TaskTemplate("app", "ns", "t", 0, 7).task(0).build(),
            "{\"args\": [1], \"kwargs\": {\"to\": \"nobody\"}}");
    kafka.deadLetter("edit-dlq", 0, task.toByteArray(), headers("edit-tasks", 0));
    ReplayReport report =
        Replay.edited(
            config,
            "edit-dlq",
            new Position(0, 0),
            "{\"args\": [2], \"kwargs\": {\"to\": \"x@example.org\"}}",
            options().build(),
            ReplayTest::ignore);
    assertThat(report.done()).isEqualTo(1);
    var replayed = kafka.committed(config, "edit-tasks", "edit-tasks").getFirst();
    assertThat(Parameters.of(TaskActivation.parseFrom(replayed.value())).arguments().toString())
        .isEqualTo("{\"args\":[2],\"kwargs\":{\"to\":\"x@example.org\"}}");
  }

  @Test
  void aTaskThatTheTopicIsTooSmallForStopsNoOther() throws Exception {
    KafkaConfig config = kafka.topics("large", 1);
    var template = new TaskTemplate("app", "ns", "t", 0, 8);
    kafka.limit("large-tasks", 2_000);
    TaskActivation large = template.task(1).putHeaders("filling", noise(5_000)).build();
    kafka.deadLetter(
        "large-dlq", 0, template.task(0).build().toByteArray(), headers("large-tasks", 0));
    kafka.deadLetter("large-dlq", 0, large.toByteArray(), headers("large-tasks", 1));
    kafka.deadLetter(
        "large-dlq", 0, template.task(2).build().toByteArray(), headers("large-tasks", 2));
    ReplayReport report = replay(config, "large-dlq", options());
    assertThat(report.done()).isEqualTo(2);
    assertThat(report.skipped()).isEqualTo(Map.of(SkipReason.TOO_LARGE, 1L));
    assertThat(kafka.tasks(config, "large-tasks")).containsExactly(0, 2);
  }

  @Test
  void aReplayOutlivesARestartOfKafkaAndPublishesNothingTwice(@TempDir Path own) throws Exception {
    try (var other = new DeadLetterKafka(own)) {
      KafkaConfig config = other.topics("outage", 2);
      other.deadLetters("outage", 200, 2);
      var restart = new AtomicReference<Thread>();
      ReplayReport report =
          Replay.replay(
              config,
              "outage-dlq",
              DeadLetterFilter.ALL,
              options().rate(200).build(),
              progress -> {
                if (progress.done() >= 80 && restart.get() == null) {
                  restart.set(Thread.ofPlatform().start(other::restart));
                }
              });
      restart.get().join();
      assertThat(report.done()).isEqualTo(200);
      assertThat(other.tasks(config, "outage-tasks")).doesNotHaveDuplicates().hasSize(200);
    }
  }

  @Test
  void anUndeclaredTopicIsNamed() throws Exception {
    KafkaConfig config = kafka.topics("named", 1);
    assertThatThrownBy(() -> replay(config, "nowhere", options()))
        .isInstanceOf(DeadLetterException.class)
        .hasMessageContaining("nowhere");
  }

  private static void ignore(ReplayReport progress) {}

  private static String noise(int length) {
    return new Random(1)
        .ints('a', 'z' + 1)
        .limit(length)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static String[] headers(String topic, int offset) {
    return DeadLetterKafka.headersOf(topic, offset, "it failed").entrySet().stream()
        .flatMap(it -> List.of(it.getKey(), it.getValue()).stream())
        .toArray(String[]::new);
  }

  private static ReplayReport replay(KafkaConfig config, String topic, Options options)
      throws InterruptedException {
    return Replay.replay(config, topic, DeadLetterFilter.ALL, options.build(), ReplayTest::ignore);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Options options() {
    return new Options("", 10_000, Long.MAX_VALUE, false, false, "");
  }

  /// Options of a replay that differ from the default ones.
  private record Options(
      String topic, double rate, long limit, boolean dryRun, boolean atMostOnce, String reason) {
    Options dry() {
      return new Options(topic, rate, limit, true, atMostOnce, reason);
    }

    Options limit(long most) {
      return new Options(topic, rate, most, dryRun, atMostOnce, reason);
    }

    Options rate(double perSecond) {
      return new Options(topic, perSecond, limit, dryRun, atMostOnce, reason);
    }

    Options to(String other) {
      return new Options(other, rate, limit, dryRun, atMostOnce, reason);
    }

    Options atMostOnceToo() {
      return new Options(topic, rate, limit, dryRun, true, reason);
    }

    Options reason(String why) {
      return new Options(topic, rate, limit, dryRun, atMostOnce, why);
    }

    ReplayOptions build() {
      return new ReplayOptions(
          topic, rate, limit, dryRun, false, atMostOnce, false, reason, Duration.ofSeconds(20));
    }
  }
}
