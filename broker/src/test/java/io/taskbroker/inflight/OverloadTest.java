package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// H24: a task that a worker refuses for load, or because the worker is misconfigured, is delivered
/// again without limit.
@Timeout(240)
final class OverloadTest {
  private static final int TASKS = 100;

  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @ParameterizedTest
  @EnumSource(names = {"BUSY", "OVERLOADED"})
  void h24OverloadedWorkerFailsNoTask(PushOutcome full) {
    var running = new ArrayDeque<String>();
    rig.worker =
        call -> {
          if (running.size() == 3) {
            return full;
          }
          running.add(call.id());
          return PushOutcome.ACCEPTED;
        };
    send("t");
    int done = 0;
    while (done < TASKS && rig.now < 10_000_000) {
      rig.pass(200);
      for (String id = running.poll(); id != null; id = running.poll()) {
        rig.report(Status.COMPLETE, id);
        done++;
      }
    }
    assertThat(done).isEqualTo(TASKS);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.deliveries.size()).as("calls").isLessThan(20 * TASKS);
  }

  @Test
  void h24ReportEndsThePauseOfABusyWorker() {
    rig.worker = _ -> PushOutcome.ACCEPTED;
    partition.send(Task.of("running").deadline(1_000));
    rig.settle();
    rig.worker = _ -> PushOutcome.BUSY;
    partition.send(Task.of("waiting"));
    rig.pass(20_000);
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.report(Status.COMPLETE, "running");
    assertThat(rig.depths().handedOut()).isEqualTo(1);
  }

  @Test
  void h09OverloadedIsNoProof() {
    partition.send(Task.once("x").deadLetters());
    rig.settle();
    partition.commitOffset();
    rig.settle();
    rig.answer(PushOutcome.OVERLOADED);
    rig.pass(RigOptions.LEASE);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void h24WorkerThatRejectsEverythingIsProbedAndFailsNoTask() {
    rig.worker = _ -> PushOutcome.REJECTED;
    send("t");
    rig.pass(5_000);
    rig.deliveries.clear();
    rig.pass(600_000);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.deliveries).as("probes").hasSizeLessThan(2_000);
    assertThat(rig.noticed(EngineEvent.WORKER_REJECTS)).hasSizeBetween(5, 15).containsOnly("app");
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.pass(4_000);
    assertThat(rig.depths().handedOut()).isEqualTo(TASKS);
  }

  /// An at-most-once task that served as a probe has failed: there are few.
  @Test
  void h24WorkerThatRejectsEverythingFailsFewAtMostOnceTasks() {
    rig.worker = _ -> PushOutcome.REJECTED;
    partition.send(
        IntStream.range(0, TASKS)
            .mapToObj(i -> Task.once("once" + i).deadLetters())
            .toArray(Task[]::new));
    rig.settle();
    partition.commitOffset();
    rig.pass(60_000);
    assertThat(rig.deliveries).as("probes in the first minute").hasSizeBetween(1, 24);
    rig.deliveries.clear();
    rig.pass(600_000);
    assertThat(rig.deliveries).as("probes in ten minutes").hasSizeBetween(20, 40);
  }

  @Test
  void h24WorkersThatMostlyRejectEverythingFailNoTask() {
    var random = new SplittableRandom(1);
    rig.worker = _ -> random.nextInt(5) > 0 ? PushOutcome.REJECTED : PushOutcome.ACCEPTED;
    for (int i = 0; i < 10; i++) {
      send("t" + i + "-");
      rig.pass(60_000);
      rig.deliveredIds().forEach(id -> rig.report(Status.COMPLETE, id));
      rig.deliveries.clear();
    }
    assertThat(rig.outbox).isEmpty();
  }

  @Test
  void h24TaskThatIsRejectedWhileNearlyAllPassMeetsThePolicy() {
    rig.worker = call -> call.id().equals("x") ? PushOutcome.REJECTED : PushOutcome.ACCEPTED;
    partition.send(Task.of("x").deadLetters());
    for (int i = 0; i < 20; i++) {
      partition.send(Task.of("n" + i).deadline(1_000));
      rig.pass(2_000);
    }
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void hangingCallBlocksNoOtherAndFailsNoTask() {
    partition.send(Task.of("x").deadLetters());
    rig.settle();
    Delivery hanging = rig.calls.getFirst();
    rig.worker = call -> call.id().equals("x") ? null : PushOutcome.ACCEPTED;
    for (int i = 0; i < 50; i++) {
      partition.send(Task.of("n" + i).deadline(1_000));
      assertThat(rig.deliveredIds()).endsWith("n" + i);
      rig.pass(10);
      if (i % 10 == 9) {
        rig.answer(hanging, PushOutcome.UNANSWERED);
        while (rig.calls.isEmpty()) {
          rig.pass(100);
        }
        hanging = rig.calls.getFirst();
      }
    }
    assertThat(rig.outbox).isEmpty();
  }

  private void send(String name) {
    partition.send(
        IntStream.range(0, TASKS)
            .mapToObj(i -> Task.of(name + i).deadline(1_000).deadLetters())
            .toArray(Task[]::new));
  }
}
