package io.taskbroker.lab.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.TaskTemplate;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Histories with one planted fault, which the check must find.
final class ResultCheckTest {
  private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

  private final Workload workload =
      new Workload(
          new SoakOptions(Duration.ofSeconds(20), 1, 100, Duration.ZERO, Optional.empty()));
  private final ExecutionLog log = new ExecutionLog(workload.tasks());
  private final Runs runs = new Runs(workload, log);
  private final TaskTemplate template = new TaskTemplate("-", "n", "t", 100, 1);
  private final Map<Integer, Integer> letters = new HashMap<>();
  private final Set<Integer> demoted = new HashSet<>();

  @BeforeEach
  void publishAll() {
    for (int number = 0; number < workload.tasks(); number++) {
      log.published(number);
    }
  }

  @Test
  void completeHistoriesHaveNoProblems() {
    endAllBut(-1);

    assertThat(check().problems()).isEmpty();
    assertThat(check().missing()).isZero();
    assertThat(check().ends().values().stream().mapToInt(i -> i).sum()).isEqualTo(workload.tasks());
  }

  @ParameterizedTest
  @EnumSource(names = "FAR", mode = EnumSource.Mode.EXCLUDE)
  void aTaskWithoutAnEndIsMissing(SoakTaskKind kind) {
    int number = first(kind);
    endAllBut(number);

    assertThat(check().problems()).singleElement().asString().contains("task " + number + " ");
    assertThat(check().missing()).isEqualTo(1);
  }

  @Test
  void aTaskReportedAtItsWorkersDeathIsNotMissing() {
    int number = first(SoakTaskKind.PLAIN);
    int other = first(SoakTaskKind.RAW);
    endAllBut(number);
    run(number, 0);
    runs.workersDied(workload.application(other));
    assertThat(check().missing()).isEqualTo(1);

    runs.workersDied(workload.application(number));
    assertThat(check().missing()).isZero();
  }

  @Test
  void aRepeatedRunNeedsAnExplainingFault() {
    endAllBut(-1);
    int number = first(SoakTaskKind.PLAIN);
    run(number, 0);

    assertThat(check().problems()).singleElement().asString().contains("without a reason");
    assertThat(check(now(FaultKind.KAFKA_GONE)).problems()).isNotEmpty();
    assertThat(check(now(FaultKind.KILL)).problems()).isEmpty();
    assertThat(check(now(FaultKind.KILL)).repeats()).containsEntry("KILL", 1);
    assertThat(check(before(FaultKind.KILL)).problems()).isNotEmpty();
  }

  @Test
  void faultsOfOtherApplicationsExplainNothing() {
    endAllBut(-1);
    int number = first(SoakTaskKind.SLOW);
    run(number, 0);

    assertThat(check(gone(Application.SHOP)).problems()).isNotEmpty();
    assertThat(check(gone(Application.MAIL)).problems()).isEmpty();
  }

  @Test
  void anAttemptMustNotRunAfterTheNextOne() {
    endAllBut(-1);
    run(first(SoakTaskKind.RETRIED), 0);

    assertThat(check(now(FaultKind.KILL)).problems())
        .singleElement()
        .asString()
        .contains("although that was settled");
  }

  @Test
  void noFaultExcusesASecondRunOfAnAtMostOnceTask() {
    endAllBut(-1);
    run(first(SoakTaskKind.AT_MOST_ONCE), 0);

    assertThat(check(now(FaultKind.KILL)).problems())
        .singleElement()
        .asString()
        .contains("ran 2 times");
  }

  @Test
  void aTaskMustNotRunEarlyExpiredOrSwitchedOff() {
    endAllBut(-1);
    run(first(SoakTaskKind.DELAYED), 0);
    run(first(SoakTaskKind.EXPIRED), 0);
    run(first(SoakTaskKind.SWITCHED), 0);

    assertThat(check(now(FaultKind.KILL), now(FaultKind.RULES)).problems())
        .anyMatch(problem -> problem.contains("s early"))
        .anyMatch(problem -> problem.contains("although it had expired"))
        .anyMatch(problem -> problem.contains("while it was switched off"));
  }

  @Test
  void twoEndsNeedAnExplainingFault() {
    endAllBut(-1);
    letters.put(first(SoakTaskKind.AT_MOST_ONCE), 1);
    letters.put(first(SoakTaskKind.FAILING), 2);

    assertThat(check().problems()).hasSize(2).allMatch(p -> p.contains("to an end twice"));
    assertThat(check().endedTwice()).isEqualTo(1);
    assertThat(check().copies()).isEqualTo(1);
    assertThat(check(now(FaultKind.KILL)).problems()).isEmpty();
  }

  @Test
  void anUnexpectedDeadLetterIsAProblem() {
    endAllBut(-1);
    letters.put(first(SoakTaskKind.PLAIN), 1);
    demoted.add(first(SoakTaskKind.DISCARDED));

    assertThat(check(now(FaultKind.KILL)).problems())
        .anyMatch(problem -> problem.contains("is on the dead-letter topic"))
        .anyMatch(problem -> problem.contains("is on the topic of demoted tasks"));
  }

  /// Ends all tasks as expected, except one.
  private void endAllBut(int spared) {
    for (int number = 0; number < workload.tasks(); number++) {
      if (number != spared) {
        end(number);
      }
    }
  }

  private void end(int number) {
    switch (workload.kind(number)) {
      case EXPIRED -> letters.put(number, 1);
      case FAILING -> {
        run(number, 0);
        letters.put(number, 1);
      }
      case EXHAUSTED -> {
        for (int attempt = 0; attempt < Workload.MAX_ATTEMPTS; attempt++) {
          run(number, attempt);
        }
        letters.put(number, 1);
      }
      case DISCARDED -> {
        run(number, 0);
        log.acknowledged(number, Result.FAIL);
      }
      case RETRIED -> {
        run(number, 0);
        log.acknowledged(number, Result.RETRY);
        run(number, 1);
        log.acknowledged(number, Result.COMPLETE);
      }
      // Delayed by seconds.
      case DELAYED, FAR, SWITCHED -> log.acknowledged(number, Result.COMPLETE);
      default -> {
        run(number, 0);
        log.acknowledged(number, Result.COMPLETE);
      }
    }
  }

  private void run(int number, int attempt) {
    var activation = template.task(number);
    activation.getRetryStateBuilder().setAttempts(attempt);
    runs.run(activation.build(), log.started(number));
    log.finished(number);
  }

  private int first(SoakTaskKind kind) {
    for (int number = 0; number < workload.tasks(); number++) {
      if (workload.kind(number) == kind) {
        return number;
      }
    }
    throw new IllegalStateException("There is no task of kind " + kind);
  }

  private static Incident now(FaultKind kind) {
    return new Incident(kind, Optional.empty(), -MINUTE, MINUTE);
  }

  private static Incident before(FaultKind kind) {
    return new Incident(kind, Optional.empty(), -2 * MINUTE, -MINUTE);
  }

  private static Incident gone(Application application) {
    return new Incident(FaultKind.WORKERS_GONE, Optional.of(application), -MINUTE, MINUTE);
  }

  private ResultCheck check(Incident... incidents) {
    return ResultCheck.of(
        new ResultCheck.Evidence(
            workload,
            runs,
            log,
            number -> letters.getOrDefault(number, 0),
            number -> demoted.contains(number) ? 1 : 0,
            new BitSet()),
        List.of(incidents));
  }
}
