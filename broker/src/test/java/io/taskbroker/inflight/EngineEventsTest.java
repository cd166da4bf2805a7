package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The engine's events and figures.
final class EngineEventsTest {
  private static final Origin ORIGIN = new Origin("tasks", 0, 0);

  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  /// W50: completed counts what a worker completed, and nothing that is removed for another reason.
  @Test
  void w50EachOutcomeIsCountedOnce() {
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.produces = true;
    partition.send(
        Task.of("completed"),
        Task.of("discarded"),
        Task.of("dead").deadLetters(),
        Task.of("retried"));
    rig.pass(100);

    rig.report(Status.COMPLETE, "completed");
    rig.report(Status.COMPLETE, "completed");
    rig.report(Status.FAILURE, "discarded", "dead");
    rig.report(Status.RETRY, "retried");

    assertThat(rig.eventsOf("completed"))
        .containsExactly(EngineEvent.CLAIMED, EngineEvent.PUSHED, EngineEvent.COMPLETED);
    assertThat(rig.eventsOf("discarded"))
        .containsExactly(EngineEvent.CLAIMED, EngineEvent.PUSHED, EngineEvent.DISCARDED);
    assertThat(rig.eventsOf("dead"))
        .containsExactly(
            EngineEvent.CLAIMED,
            EngineEvent.PUSHED,
            EngineEvent.DEAD_LETTERED,
            EngineEvent.DEAD_LETTER_PRODUCED);
    assertThat(rig.eventsOf("retried"))
        .containsExactly(
            EngineEvent.CLAIMED,
            EngineEvent.PUSHED,
            EngineEvent.RETRIED,
            EngineEvent.RETRY_PRODUCED);
    EngineStats stats = rig.stats();
    assertThat(stats)
        .isEqualTo(new EngineStats(0, 0, 0, 0, 0, 0, Map.of(), 0, 0, 0, 0, stats.tasks()));
    assertThat(stats.tasks())
        .filteredOn(task -> task.completed() > 0)
        .containsExactly(new EngineStats.Task("app", "task", "ns", 0, 0, 0, 0, 1, 2, 1, 1));
  }

  /// W46: the number of counters is bounded, whatever names arrive.
  @Test
  void w46TasksPastTheMaximumAreCountedTogether() {
    var accounts = new TaskCounters();
    for (int i = 0; i < 2 * TaskCounters.MAX; i++) {
      accounts.of(Task.of("x").taskname("t" + i).at(ORIGIN, 0)).count(EngineEvent.COMPLETED);
      accounts.of(Task.of("x").application("a" + i).at(ORIGIN, 0)).count(EngineEvent.DISCARDED);
    }
    List<EngineStats.Task> all = accounts.snapshot();

    assertThat(all).hasSizeBetween(TaskCounters.MAX, 2 * TaskCounters.MAX + 1);
    assertThat(all.stream().mapToLong(EngineStats.Task::completed).sum())
        .isEqualTo(2 * TaskCounters.MAX);
    assertThat(all.stream().mapToLong(EngineStats.Task::failed).sum())
        .isEqualTo(2 * TaskCounters.MAX);
    assertThat(all)
        .filteredOn(task -> task.taskname().equals(TaskCounters.OTHER))
        .extracting(EngineStats.Task::application)
        .contains(TaskCounters.OTHER, "app");
  }

  @Test
  void missedDeadlinesAreCounted() {
    rig.worker = delivery -> delivery.id().equals("silent") ? PushOutcome.ACCEPTED : null;
    partition.send(
        Task.of("silent").deadline(1),
        Task.of("lost"),
        Task.of("late").expiresAt(rig.wall - 1),
        Task.of("delayed").delayUntil(rig.wall + 5_000));
    rig.pass(RigOptions.LEASE);

    assertThat(rig.eventsOf("late")).containsExactly(EngineEvent.EXPIRED_ON_ARRIVAL);
    assertThat(rig.eventsOf("lost"))
        .containsExactly(EngineEvent.CLAIMED, EngineEvent.LEASE_PASSED, EngineEvent.CLAIMED);
    assertThat(rig.eventsOf("delayed")).startsWith(EngineEvent.DELAY_ELAPSED, EngineEvent.CLAIMED);
    rig.pass(60_000);
    assertThat(rig.eventsOf("silent"))
        .as("the duration of a later delivery is not counted")
        .containsExactly(
            EngineEvent.CLAIMED,
            EngineEvent.PUSHED,
            EngineEvent.DEADLINE_PASSED,
            EngineEvent.DEADLINE_PASSED,
            EngineEvent.DEADLINE_PASSED,
            EngineEvent.DEADLINE_PASSED,
            EngineEvent.DEADLINE_PASSED,
            EngineEvent.ATTEMPTS_EXCEEDED,
            EngineEvent.DISCARDED);
  }

  @Test
  void waitingRecordsAreCountedFourTimesASecond() {
    var full = new EngineRig(RigOptions.push("app").maxPending(10));
    full.assigned("tasks")
        .send(IntStream.range(0, 30).mapToObj(i -> Task.of("x" + i)).toArray(Task[]::new));
    int before = full.events.size();

    for (int i = 0; i < 80; i++) {
      full.pass(10);
    }

    assertThat(full.events.subList(before, full.events.size()))
        .hasSizeBetween(3, 4)
        .allMatch(each -> each.event() == EngineEvent.HELD_BY_PENDING);
  }

  @Test
  void recordsThatWaitForMemoryAreCountedAsThat() {
    var full = new EngineRig(RigOptions.push("app").maxMemoryBytes(100_000));
    full.assigned("tasks").send(Task.of("a").size(70_000), Task.of("b").size(100));

    full.pass(10);

    assertThat(full.eventsOf("b")).contains(EngineEvent.HELD_BY_MEMORY);
  }

  @Test
  void statsMatchTheTasksInFlight() {
    rig.worker = delivery -> delivery.id().startsWith("taken") ? PushOutcome.ACCEPTED : null;
    partition.send(Task.of("taken-1"), Task.of("taken-2"), Task.of("called"));
    partition.send(Task.of("delayed").delayUntil(rig.wall + 5_000));
    partition.send(Task.of("far").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    partition.send(Task.of("nobody").application("other"));
    rig.pass(700);

    EngineStats stats = rig.stats();

    assertThat(stats.pending()).isEqualTo(1);
    assertThat(stats.claimed()).isEqualTo(1);
    assertThat(stats.processing()).isEqualTo(2);
    assertThat(stats.delayed()).isEqualTo(1);
    assertThat(stats.parked()).isEqualTo(1);
    assertThat(stats.oldestMillis()).isEqualTo(700);
  }

  @Test
  void effectsOfRulesAreCounted() {
    rig.rule(RigRules.killing("off"));
    partition.send(Task.of("named").taskname("off"), Task.of("kept"));
    rig.rule(RigRules.killingIds("chosen"));
    partition.send(Task.of("chosen"));
    rig.rule(RigRules.killingIds("kept"));
    rig.rule(RigRules.demoting("slow"));
    partition.send(Task.of("moved").namespace("slow"), Task.of("large").namespace("slow"));
    List.copyOf(rig.outbox)
        .forEach(record -> {
          if (record.id().equals("moved")) {
            rig.acknowledge(record);
          } else {
            rig.tell(new Command.ProduceRefused(record, "too large"));
          }
        });
    rig.settle();

    assertThat(rig.eventsOf("named")).containsExactly(EngineEvent.KILLED_BY_NAME);
    assertThat(rig.eventsOf("chosen")).containsExactly(EngineEvent.KILLED_BY_SELECTOR);
    assertThat(rig.eventsOf("kept")).endsWith(EngineEvent.SWITCHED_OFF);
    assertThat(rig.eventsOf("moved"))
        .containsExactly(EngineEvent.DEMOTED, EngineEvent.DEMOTION_PRODUCED);
    assertThat(rig.eventsOf("large"))
        .containsExactly(
            EngineEvent.DEMOTED, EngineEvent.DEMOTION_REFUSED, EngineEvent.QUARANTINED);
  }
}
