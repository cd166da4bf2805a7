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

/// Histories with one thing wrong in them, and that it is found.
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
  void allTasksThatCameToTheirEndsAreAllRight() {
    endAllBut(-1);

    assertThat(account().problems()).isEmpty();
    assertThat(account().missing()).isZero();
    assertThat(account().ends().values().stream().mapToInt(i -> i).sum())
        .isEqualTo(workload.tasks());
  }

  @ParameterizedTest
  @EnumSource(names = "FAR", mode = EnumSource.Mode.EXCLUDE)
  void aTaskOfAnyKindThatIsNowhereIsMissing(SoakTaskKind kind) {
    int number = first(kind);
    endAllBut(number);

    assertThat(account().problems()).singleElement().asString().contains("task " + number + " ");
    assertThat(account().missing()).isEqualTo(1);
  }

  @Test
  void whatAWorkerReportedAtItsDeathIsNotMissing() {
    int number = first(SoakTaskKind.PLAIN);
    int other = first(SoakTaskKind.RAW);
    endAllBut(number);
    run(number, 0);
    runs.workersDied(workload.application(other));
    assertThat(account().missing()).isEqualTo(1);

    runs.workersDied(workload.application(number));
    assertThat(account().missing()).isZero();
  }

  @Test
  void aRunThatRepeatsOneNeedsAFaultThatExplainsIt() {
    endAllBut(-1);
    int number = first(SoakTaskKind.PLAIN);
    run(number, 0);

    assertThat(account().problems()).singleElement().asString().contains("without a reason");
    assertThat(account(now(FaultKind.KAFKA_GONE)).problems()).isNotEmpty();
    assertThat(account(now(FaultKind.KILL)).problems()).isEmpty();
    assertThat(account(now(FaultKind.KILL)).repeats()).containsEntry("KILL", 1);
    assertThat(account(before(FaultKind.KILL)).problems()).isNotEmpty();
  }

  @Test
  void workersOfAnotherApplicationExplainNothing() {
    endAllBut(-1);
    int number = first(SoakTaskKind.SLOW);
    run(number, 0);

    assertThat(account(gone(Application.SHOP)).problems()).isNotEmpty();
    assertThat(account(gone(Application.MAIL)).problems()).isEmpty();
  }

  @Test
  void anAttemptDoesNotRunAgainOnceThereIsTheNext() {
    endAllBut(-1);
    run(first(SoakTaskKind.RETRIED), 0);

    assertThat(account(now(FaultKind.KILL)).problems())
        .singleElement()
        .asString()
        .contains("although that was settled");
  }

  @Test
  void noFaultExcusesASecondRunOfATaskThatMayRunOnce() {
    endAllBut(-1);
    run(first(SoakTaskKind.AT_MOST_ONCE), 0);

    assertThat(account(now(FaultKind.KILL)).problems())
        .singleElement()
        .asString()
        .contains("ran 2 times");
  }

  @Test
  void aTaskMustNotRunEarlyOrExpiredOrSwitchedOff() {
    endAllBut(-1);
    run(first(SoakTaskKind.DELAYED), 0);
    run(first(SoakTaskKind.EXPIRED), 0);
    run(first(SoakTaskKind.SWITCHED), 0);

    assertThat(account(now(FaultKind.KILL), now(FaultKind.RULES)).problems())
        .anyMatch(problem -> problem.contains("s early"))
        .anyMatch(problem -> problem.contains("although it had expired"))
        .anyMatch(problem -> problem.contains("while it was switched off"));
  }

  @Test
  void aTaskEndsInOnePlaceUnlessAFaultExplainsIt() {
    endAllBut(-1);
    letters.put(first(SoakTaskKind.AT_MOST_ONCE), 1);
    letters.put(first(SoakTaskKind.FAILING), 2);

    assertThat(account().problems()).hasSize(2).allMatch(p -> p.contains("to an end twice"));
    assertThat(account().endedTwice()).isEqualTo(1);
    assertThat(account().copies()).isEqualTo(1);
    assertThat(account(now(FaultKind.KILL)).problems()).isEmpty();
  }

  @Test
  void aTaskThatMayNotBeDeadLetteredIsNot() {
    endAllBut(-1);
    letters.put(first(SoakTaskKind.PLAIN), 1);
    demoted.add(first(SoakTaskKind.DISCARDED));

    assertThat(account(now(FaultKind.KILL)).problems())
        .anyMatch(problem -> problem.contains("is on the dead-letter topic"))
        .anyMatch(problem -> problem.contains("is on the topic of demoted tasks"));
  }

  /// All tasks have the history that they should have; one has none.
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
      // Not to be run before seconds have passed.
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

  private ResultCheck account(Incident... incidents) {
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
