package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// G8: a task that kills the worker called with it meets its failure policy after a known number of
/// deaths, and its neighbours are spared.
@Timeout(240)
final class KillerTaskTest {
  private static final int MAX_ATTEMPTS = 5;

  /// Deaths before the killer is called alone.
  private static final int UNPROVEN = 2;

  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  /// Tasks of the worker, which it completes only if it lives long enough.
  private final Map<String, Long> running = new LinkedHashMap<>();

  private final List<String> completed = new ArrayList<>();
  private int deaths;
  private int attemptsOfLong;

  @Test
  void g8KillerAmongNeighboursMeetsThePolicyAndTheyAreSpared() {
    partition.send(Task.of("x").deadLetters());
    for (int i = 0; i < 50; i++) {
      partition.send(Task.of("n" + i).deadline(3).deadLetters());
    }
    for (int i = 50; i < 300; i++) {
      partition.send(Task.of("n" + i).deadline(3).deadLetters());
      serve(1_000);
    }
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(deaths).isLessThanOrEqualTo(MAX_ATTEMPTS + UNPROVEN);
    assertThat(rig.noticed(EngineEvent.WORKER_DIED)).hasSize(MAX_ATTEMPTS).containsOnly("x");
    serve(60_000);
    assertThat(completed).hasSize(300);
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void g8TaskOfARepeatedlyKilledWorkerDoesNotFail() {
    partition.send(Task.of("long").deadline(8).deadLetters());
    serve(100);
    partition.send(Task.of("x").deadLetters());
    for (int i = 0; i < 60 && rig.outbox.isEmpty(); i++) {
      partition.send(Task.of("n" + i));
      serve(1_000);
    }
    assertThat(rig.outboxIds()).containsExactly("x");
    serve(12_000);
    assertThat(completed).contains("long");
    List<String> overrun = rig.noticed(EngineEvent.DEADLINE_PASSED);
    assertThat(overrun).contains("long");
    assertThat(attemptsOfLong).isLessThan(Collections.frequency(overrun, "long"));
  }

  @Test
  void g8KillerAloneMeetsThePolicy() {
    partition.send(Task.of("x").deadLetters());
    serve(120_000);
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(deaths).isLessThanOrEqualTo(MAX_ATTEMPTS + UNPROVEN);
  }

  @Test
  void g8WorkerThatDiesOfEveryTaskFailsNone() {
    rig.worker = _ -> PushOutcome.LOST;
    for (int i = 0; i < 20; i++) {
      partition.send(Task.of("x" + i).deadLetters());
    }
    rig.pass(3_600_000);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).hasSize(20).allMatch(row -> row.attempts() == 0);
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.pass(61_000);
    assertThat(rig.depths().handedOut()).isEqualTo(20);
  }

  @Test
  void g8RestartingWorkerFailsNoTask() {
    for (int i = 0; i < 200; i++) {
      partition.send(Task.of("n" + i).deadLetters());
      rig.pass(200);
      boolean dies = i % 10 == 0;
      for (Delivery call : List.copyOf(rig.calls)) {
        rig.answer(call, dies ? PushOutcome.LOST : PushOutcome.ACCEPTED);
        if (!dies) {
          rig.report(Status.COMPLETE, call.id());
        }
      }
    }
    serve(120_000);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void g8ProvenDeathsSurviveARestart() {
    partition.send(Task.of("x").deadLetters());
    while (rig.noticed(EngineEvent.WORKER_DIED).size() < MAX_ATTEMPTS - 1) {
      serve(1_000);
    }
    assertThat(rig.store.row("x").orElseThrow().attempts()).isEqualTo(MAX_ATTEMPTS - 1);
    rig.crash();
    deaths = 0;
    serve(120_000);
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(deaths).isLessThanOrEqualTo(2);
  }

  @Test
  void g8SuspectIsCalledAlone() {
    partition.send(Task.of("x"));
    rig.settle();
    rig.answer(PushOutcome.LOST);
    rig.pass(1_000);
    rig.answer(PushOutcome.LOST);
    rig.worker = _ -> PushOutcome.ACCEPTED;
    for (int i = 0; i < 40; i++) {
      partition.send(Task.of("n" + i).deadline(1_000));
      rig.pass(10);
    }
    rig.worker = _ -> null;
    partition.send(Task.of("before").deadline(1_000), Task.of("too").deadline(1_000));
    assertThat(rig.calls).hasSize(2);
    rig.answer(rig.calls.getLast(), PushOutcome.ACCEPTED);
    rig.pass(3_000);
    assertThat(rig.calls).as("one is still in flight").hasSize(1);
    assertThat(calls("x")).isFalse();
    rig.answer(PushOutcome.ACCEPTED);
    assertThat(rig.calls).singleElement().extracting(Delivery::id).isEqualTo("x");
    partition.send(Task.of("late"));
    rig.pass(1_000);
    assertThat(rig.calls).hasSize(1);
    rig.answer(PushOutcome.ACCEPTED);
    assertThat(rig.calls).extracting(Delivery::id).containsExactly("late");
  }

  /// Tasks that were accepted before a worker was lost from its stream do not prove that the next
  /// loss is the fault of the task.
  @Test
  void g8OnlyOthersThatWereAcceptedSinceTheLossOfAStreamProveADeath() {
    partition.send(Task.of("n"));
    rig.settle();
    rig.answer(PushOutcome.ACCEPTED);
    rig.report(Status.COMPLETE, "n");
    partition.send(Task.of("x"));
    rig.settle();
    rig.answer(PushOutcome.UNREACHABLE);
    RigWorker worker = RigWorker.open(rig, 1);
    assertThat(worker.ids()).containsExactly("x");
    partition.send(Task.of("y"));
    worker.close(true);
    rig.pass(1_000);
    rig.answer(PushOutcome.LOST);
    assertThat(rig.noticed(EngineEvent.WORKER_LOST)).containsExactly("x");
    assertThat(rig.noticed(EngineEvent.WORKER_DIED)).isEmpty();
  }

  @Test
  void h09AtMostOnceTaskIsNoSuspect() {
    partition.send(Task.once("x").deadLetters());
    rig.settle();
    partition.commitOffset();
    rig.settle();
    rig.answer(PushOutcome.LOST);
    rig.pass(RigOptions.LEASE);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  private boolean calls(String id) {
    return rig.calls.stream().anyMatch(call -> call.id().equals(id));
  }

  /// A worker that runs each task for half a second, `long` for ten, and dies when it is called
  /// with `x`.
  private void serve(long millis) {
    long end = rig.now + millis;
    while (rig.now < end) {
      rig.pass(100);
      rig.store.row("long").ifPresent(row -> attemptsOfLong = row.attempts());
      if (calls("x")) {
        deaths++;
        running.clear();
        List.copyOf(rig.calls).forEach(call -> rig.answer(call, PushOutcome.LOST));
        continue;
      }
      List<String> over =
          running.entrySet().stream()
              .filter(each -> each.getValue() <= rig.now)
              .map(Map.Entry::getKey)
              .toList();
      running.keySet().removeAll(over);
      completed.addAll(over);
      over.forEach(id -> rig.report(Status.COMPLETE, id));
      for (Delivery call : List.copyOf(rig.calls)) {
        rig.answer(call, PushOutcome.ACCEPTED);
        running.put(call.id(), rig.now + (call.id().equals("long") ? 10_000 : 500));
      }
    }
  }
}
