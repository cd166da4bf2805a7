package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import io.taskbroker.LogCapture;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Retries;
import io.taskbroker.activation.Row;
import io.taskbroker.engine.EventLog;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.TaskLifecycle;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// Format of log lines (reference-spec 10.3).
final class LogLinesTest {
  @RegisterExtension private final LogCapture log = LogCapture.debugOf("io.taskbroker");
  private final Metrics metrics = new Metrics();

  @Test
  void jsonIsAFlatObjectALine() {
    LoggerFactory.getLogger("io.taskbroker.engine.EventLog")
        .atWarn()
        .addKeyValue("task_id", "a\n\"b\"")
        .addKeyValue("number", 3L)
        .setCause(new IllegalStateException("boom"))
        .log("first\nsecond {}", "x");

    String line = json(last());

    assertThat(line).endsWith("}\n").containsOnlyOnce("\n");
    JsonNode parsed = new ObjectMapper().readTree(line);
    assertThat(parsed.get("timestamp").asString())
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z");
    assertThat(parsed.get("level").asString()).isEqualTo("WARN");
    assertThat(parsed.get("target").asString()).isEqualTo("taskbroker::engine::EventLog");
    assertThat(parsed.get("message").asString()).isEqualTo("first\nsecond x");
    assertThat(parsed.get("task_id").asString()).isEqualTo("a\n\"b\"");
    assertThat(parsed.get("number").asLong()).isEqualTo(3);
    assertThat(parsed.get("error").asString()).contains("boom", "LogLinesTest");
  }

  @Test
  void unexpectedOutcomeIsAnErrorWithItsRowAndIsRateLimited() {
    var delete = new Change.Delete(7, "x", new Origin("tasks", 3, 0), Row.NONE, null);
    var lines = new EventLog();

    for (int i = 0; i < 1_000; i++) {
      lines.unexpected(delete, ChangeOutcome.MISSING);
    }

    ILoggingEvent line = last();
    assertThat(line.getLevel()).isEqualTo(Level.ERROR);
    assertThat(line.getFormattedMessage()).contains("MISSING", "delete", "x", "7", "tasks-3");
    JsonNode parsed = new ObjectMapper().readTree(json(line));
    assertThat(parsed.get(LogFields.TASK_ID).asString()).isEqualTo("x");
    assertThat(parsed.get(LogFields.KEY).asLong()).isEqualTo(7);
    assertThat(parsed.get(LogFields.PARTITION).asString()).isEqualTo("tasks-3");
    assertThat(log.events()).hasSizeLessThan(100);
  }

  private static final Set<EngineEvent> OF_APPLICATIONS =
      EnumSet.of(
          EngineEvent.NO_WORKER,
          EngineEvent.WORKER_UNREACHABLE,
          EngineEvent.WORKER_OVERLOADED,
          EngineEvent.WORKER_REJECTS);

  static Stream<EngineEvent> loggedEvents() {
    return Stream.of(EngineEvent.values()).filter(EngineEvent::isLogged);
  }

  /// An event of a task has the task's id, as a field and in the text.
  @ParameterizedTest
  @MethodSource("loggedEvents")
  void everyEventHasItsSubject(EngineEvent event) {
    new EventLog().event(event, "the-id", "why");

    JsonNode parsed = new ObjectMapper().readTree(json(last()));
    boolean ofApplication = OF_APPLICATIONS.contains(event);
    assertThat(parsed.get(ofApplication ? "application" : "task_id").asString())
        .isEqualTo("the-id");
    assertThat(text(last())).containsOnlyOnce("the-id").contains("why");
  }

  /// The id of the first attempt identifies a chain of retries.
  @ParameterizedTest
  @EnumSource(TaskLifecycle.class)
  void everyLifecycleStepNamesTheTaskAndItsFirstAttempt(TaskLifecycle step) {
    new EventLog().follow(step, retry(), "why");

    assertNamesTheTask();
  }

  @ParameterizedTest
  @MethodSource("loggedEvents")
  void everyEventOfATaskNamesTheTaskAndItsFirstAttempt(EngineEvent event) {
    if (OF_APPLICATIONS.contains(event)) {
      return;
    }
    new EventLog().event(event, retry(), "why");

    assertNamesTheTask();
  }

  private static Activation retry() {
    byte[] payload =
        TaskActivation.newBuilder()
            .setId("first")
            .setRetryState(RetryState.newBuilder().setAttempts(1))
            .build()
            .toByteArray();
    Retries.Retry retry = Retries.of(payload, "first", 0, -1, -1, 0).orElseThrow();
    return new Activation(
        "second",
        "shop",
        "n",
        "shop.pay",
        retry.payload(),
        new Origin("t", 0, 0),
        0,
        Activation.NEVER,
        0,
        0,
        FailurePolicy.DISCARD,
        false,
        true);
  }

  private void assertNamesTheTask() {
    JsonNode parsed = new ObjectMapper().readTree(json(last()));
    assertThat(parsed.get("task_id").asString()).isEqualTo("second");
    assertThat(parsed.get("attempt").asLong()).isEqualTo(3);
    assertThat(text(last()))
        .contains(
            ": second (why) taskname=shop.pay application=shop namespace=n attempt=3"
                + " first_id=first");
  }

  /// The reference's push mode test looks for this line.
  @Test
  void anUpkeepRoundIsOneLineWithAFieldPerCounter() {
    var counts = new UpkeepCounts(metrics);
    counts.say();
    assertThat(log.events()).as("lines without activity").isEmpty();
    metrics.cleanups.of("claim_expiration_exceeded").inc(3);
    metrics.transitions.of("completed").inc();

    counts.say();
    counts.say();

    assertThat(log.events()).hasSize(1);
    assertThat(last().getLoggerName()).isEqualTo("io.taskbroker.upkeep");
    assertThat(last().getLevel()).isEqualTo(Level.DEBUG);
    assertThat(text(last()))
        .contains(
            "upkeep: upkeep.complete",
            " result_context.claim_expiration_reset=3",
            " result_context.completed=1",
            " result_context.retried=0");
    assertThat(new ObjectMapper().readTree(json(last())).get("result_context.completed").asLong())
        .isEqualTo(1);
  }

  @Test
  void textHasNoColours() {
    LoggerFactory.getLogger("io.taskbroker.x").error("bad");

    assertThat(text(last())).matches("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z ERROR x: bad\n");
  }

  /// Task ids are arbitrary text.
  @Test
  void nothingInTextLooksLikeAnotherLine() {
    String forged = "x\n2026-01-01T00:00:00.000Z INFO  Broker: all is well\r\u001B[2J\u2028";

    LoggerFactory.getLogger("io.taskbroker.x")
        .atError()
        .addKeyValue("task_id", forged + "!")
        .setCause(new IllegalStateException(forged))
        .log("bad: {}", forged);

    assertThat(text(last()).lines().skip(1)).allMatch(line -> line.startsWith("  "));
    assertThat(text(last())).doesNotContainPattern("[\\p{Cntrl}\u2028&&[^\n\t]]");
  }

  @Test
  void jsonReplacesUnpairedSurrogates() {
    LoggerFactory.getLogger("io.taskbroker.x")
        .atError()
        .addKeyValue("task_id", "b\uDE00")
        .log("a\uD83D");

    JsonNode parsed = new ObjectMapper().readTree(json(last()));
    assertThat(parsed.get("message").asString()).isEqualTo("a?");
    assertThat(parsed.get("task_id").asString()).isEqualTo("b?");
  }

  @Test
  void linesOfEventsHaveTheirStableName() {
    new EventLog().event(EngineEvent.NO_WORKER, "shop", "");

    assertThat(new ObjectMapper().readTree(json(last())).get("event").asString())
        .isEqualTo("no_worker");
    assertThat(text(last())).doesNotContain("no_worker");
  }

  @Test
  void ecsNamesFieldsAsElasticDoes() {
    LoggerFactory.getLogger("io.taskbroker.x")
        .atWarn()
        .addKeyValue(LogFields.EVENT, "dead_lettered")
        .addKeyValue("task_id", "1")
        .addKeyValue(LogFields.TRACE_ID, "4bf9")
        .setCause(new IllegalStateException("boom"))
        .log("text");

    JsonNode line = new ObjectMapper().readTree(new JsonLines(JsonLines.Names.ECS).encode(last()));
    assertThat(line.propertyNames())
        .containsExactlyInAnyOrder(
            "@timestamp",
            "log.level",
            "log.logger",
            "message",
            "process.thread.name",
            "ecs.version",
            "service.name",
            "event.action",
            "trace.id",
            "labels.task_id",
            "error.stack_trace");
    assertThat(line.get("event.action").asString()).isEqualTo("dead_lettered");
    assertThat(line.get("labels.task_id").asString()).isEqualTo("1");
  }

  private ILoggingEvent last() {
    return log.events().getLast();
  }

  private static String json(ILoggingEvent event) {
    return new String(new JsonLines(JsonLines.Names.REFERENCE).encode(event), UTF_8);
  }

  private static String text(ILoggingEvent event) {
    return new String(new TextLines().encode(event), UTF_8);
  }
}
