package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.telemetry.Metrics;
import org.junit.jupiter.api.Test;

/// Metrics of rules applied to tasks.
final class EngineCountsTest {
  private final Metrics metrics = new Metrics();
  private final EngineCounts counts = new EngineCounts(metrics, null);

  @Test
  void countsKillswitchedTasksByMatch() {
    count(
        EngineEvent.KILLED_BY_NAME, EngineEvent.KILLED_BY_SELECTOR, EngineEvent.KILLED_BY_SELECTOR);
    count(EngineEvent.SWITCHED_OFF);

    assertThat(metrics.droppedByKillswitch.of("tasks", "task", "whole_task").get()).isOne();
    assertThat(metrics.droppedByKillswitch.of("tasks", "task", "selector").get()).isEqualTo(2);
    assertThat(metrics.cleanups.of("removed_killswitched").get()).isOne();
  }

  @Test
  void countsDemotedTasksByWhereTheyWere() {
    count(
        EngineEvent.DEMOTED,
        EngineEvent.DEMOTED,
        EngineEvent.DEMOTED_IN_FLIGHT,
        EngineEvent.DEMOTION_SKIPPED);
    count(
        EngineEvent.DEMOTION_PRODUCED, EngineEvent.DEMOTION_PRODUCED, EngineEvent.DEMOTION_REFUSED);

    assertThat(metrics.demoted.of("tasks", "ns", "task").get()).isEqualTo(2);
    assertThat(metrics.forwarded.get()).isOne();
    assertThat(metrics.forwardedDemoted.of("ns", "task").get()).isOne();
    assertThat(metrics.demotionSkipped.of("tasks", "ns", "task").get()).isOne();
    assertThat(metrics.forwardFailed.of("ns", "task").get()).isOne();
    assertThat(metrics.cleanups.of("publish_deadlettered").get()).isZero();
  }

  @Test
  void countsUnexpectedOutcomesByChangeAndOutcome() {
    var delete = new Change.Delete(7, "x", new Origin("tasks", 0, 0), Row.NONE, null);

    counts.unexpected(delete, ChangeOutcome.MISSING);

    assertThat(metrics.unexpectedOutcomes.of("delete", "missing").get()).isOne();
  }

  private void count(EngineEvent... tallies) {
    var activation =
        new Activation(
            "id",
            "app",
            "ns",
            "task",
            new byte[0],
            new Origin("tasks", 0, 0),
            0,
            Activation.NEVER,
            0,
            10,
            FailurePolicy.DISCARD,
            false,
            false);
    for (EngineEvent tally : tallies) {
      counts.count(tally, activation, 5);
    }
  }
}
