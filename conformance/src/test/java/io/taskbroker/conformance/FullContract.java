package io.taskbroker.conformance;

import static io.taskbroker.conformance.Dispatcher.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.conformance.Journal.Run;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What the current client may expect beyond that, in every mode.
abstract class FullContract extends BasicContract {
  /// Of the tasks that block the alarm, and what the broker gives beyond it.
  private static final double DEADLINE_AND_GRACE = 1 + GRACE;

  FullContract(Deployment deployment) {
    super(deployment.withAllTasks());
  }

  @Override
  void dispatchMore(Dispatcher dispatcher) {
    dispatcher.delay("work:echo", "bytes", bytes((byte) 0, (byte) 0xff, (byte) '\n'), bytes());
    dispatcher.applyAsync(
        "work:headers", List.of(), Map.of("headers", Map.of("tenant", "ü", "n", 7, "no", false)));
    dispatcher.applyAsync("work:echo", List.of("external"), Map.of("external", true));
    dispatcher.delay("work:delivered");
    dispatcher.delay("defaults:inherit");
    dispatcher.delay("work:ignored");
    dispatcher.delay("work:ask-again");
    dispatcher.delay("work:raise-retry");
    dispatcher.delay("work:once");
    dispatcher.delay("work:once-failing");
    dispatcher.delay("work:overrun-retried");
    dispatcher.delay("work:blocked");
    dispatcher.delay("work:once-blocked");
  }

  @Test
  void bytesArriveAsTheyWere() {
    assertThat(onlyEcho("bytes").args())
        .hasToString("[\"bytes\",{\"base64\":\"AP8K\"},{\"base64\":\"\"}]");
  }

  @Test
  void headersReachTheTaskAsText() {
    JsonNode headers = only(deployment().journal().notes("headers").toList()).path("headers");
    assertThat(headers.path("tenant").asString()).isEqualTo("ü");
    assertThat(headers.path("n").asString()).isEqualTo("7");
    assertThat(headers.path("no").asString()).isEqualTo("False");
    assertThat(headers.has("sentry-trace")).isTrue();
  }

  @Test
  void anotherApplicationPublishesThroughAnExternalNamespace() {
    Run run = onlyEcho("external");
    assertThat(published(run).getApplication()).isEqualTo("conformance");
  }

  @Test
  void deliveryIsAwaited() {
    assertThat(only(runs("delivered")).outcome()).isEqualTo("returned");
  }

  @Test
  void thePolicyOfTheNamespaceIsInherited() {
    List<Run> runs = runs("inherit");
    assertThat(runs).extracting(Run::attempt).containsExactly(0, 1);
    assertThat(only(deadLetters("inherit")).getId()).isEqualTo(runs.getLast().id());
  }

  @Test
  void whatThePolicyIgnoresIsNotRetried() {
    Run run = only(runs("ignored"));
    assertThat(only(deadLetters("ignored"))).isEqualTo(published(run));
  }

  @Test
  void tasksAskForARetryThemselves() {
    assertThat(runs("raise-retry")).extracting(Run::attempt).containsExactly(0, 1);
    assertThat(runs("ask-again")).extracting(Run::attempt).containsExactly(0, 1);
  }

  /// The worker reports a retry with `max_attempts = times + 1`, so that from the second attempt on
  /// a task is told of one attempt more than its policy grants. The broker passes on what it was
  /// told, as the reference does.
  @Test
  void w23ARetryBelievesThatOneMoreRemains() {
    List<Run> runs = runs("recover");
    assertThat(runs).extracting(Run::retriesRemaining).containsExactly(true, true, true);
    assertThat(published(runs.get(0)).getRetryState().getMaxAttempts()).isEqualTo(3);
    assertThat(published(runs.get(2)).getRetryState().getMaxAttempts()).isEqualTo(4);
    assertThat(runs("ask-again"))
        .extracting(Run::outcome)
        .containsExactly("RetryTaskError", "RetryTaskError");
  }

  @Test
  void atMostOnceRunsOnce() {
    Run run = only(runs("once"));
    assertThat(run.outcome()).isEqualTo("returned");
    assertThat(published(run).getRetryState().getAtMostOnce()).isTrue();
    assertThat(only(runs("once-failing")).outcome()).isEqualTo("ValueError");
  }

  @Test
  void anOverrunIsRetriedIfThePolicySaysSo() {
    List<Run> runs = runs("overrun-retried");
    assertThat(runs).extracting(Run::attempt).containsExactly(0, 1);
    assertThat(runs)
        .extracting(Run::outcome)
        .containsExactly("ProcessingDeadlineExceeded", "ProcessingDeadlineExceeded");
    assertThat(deadLetters("overrun-retried"))
        .extracting(TaskActivation::getId)
        .containsExactly(runs.getLast().id());
  }

  @Test
  void whatTheAlarmCannotInterruptRunsAgainAfterTheBrokersDeadline() {
    List<Run> runs = runs("blocked");
    assertThat(runs).hasSizeGreaterThan(1);
    assertThat(runs).extracting(Run::attempt).containsOnly(0);
    assertThat(runs).extracting(Run::id).containsOnly(runs.getFirst().id());
    assertThat(runs).extracting(Run::outcome).containsOnly("returned");
    assertThat(runs.get(1).at() - runs.get(0).at()).isGreaterThan(DEADLINE_AND_GRACE - 1);
  }

  @Test
  void atMostOnceDoesNotRunAgainAfterTheBrokersDeadline() {
    assertThat(runs("once-blocked")).hasSize(1);
    assertThat(deadLetters("once-blocked")).isEmpty();
  }
}
