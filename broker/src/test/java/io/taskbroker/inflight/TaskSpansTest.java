package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Outcome;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.TaskSpan;
import io.taskbroker.inflight.api.TaskSpan.Step;
import io.taskbroker.protocol.v1.RetryPolicy;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Steps of tasks, as the engine reports them for traces.
final class TaskSpansTest {
  private final EngineRig rig = new EngineRig(RigOptions.push("app").traced());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void aCompletedTask() {
    rig.commits = false;
    partition.send(Task.of("a"));
    long stored = rig.wall;
    rig.pass(5);
    rig.commitAndSettle();
    rig.pass(10);
    rig.answer(PushOutcome.ACCEPTED);
    rig.pass(100);
    rig.report(Status.COMPLETE, "a");
    rig.pass(3);
    rig.commitAndSettle();

    assertThat(outcomes("a"))
        .containsExactly(
            "STORE stored", "DELIVERY complete", "REPORT complete", "IN_FLIGHT completed");
    assertThat(step(Step.STORE).from()).isEqualTo(stored);
    assertThat(step(Step.STORE).to()).isEqualTo(stored + 5);
    assertThat(step(Step.DELIVERY).from()).isEqualTo(stored + 5);
    assertThat(step(Step.DELIVERY).to()).isEqualTo(stored + 115);
    assertThat(step(Step.DELIVERY).delivery()).isEqualTo(1);
    assertThat(step(Step.REPORT).from()).isEqualTo(stored + 115);
    assertThat(step(Step.REPORT).to()).isEqualTo(stored + 118);
    assertThat(step(Step.IN_FLIGHT).from()).isEqualTo(stored);
    assertThat(step(Step.IN_FLIGHT).to()).isEqualTo(stored + 118);
    assertThat(rig.spans).extracting(TaskSpan::storedAt).containsOnly(stored);
    assertThat(rig.spans).extracting(TaskSpan::failed).containsOnly(false);
  }

  @Test
  void eachDeliveryEndsForItsOwnReason() {
    rig.produces = true;
    partition.send(Task.of("a").deadline(10).deadLetters());
    rig.answer(PushOutcome.BUSY);
    rig.pass(10_000);
    rig.answer(PushOutcome.REFUSED);
    rig.pass(10_000);
    rig.answer(PushOutcome.ACCEPTED);
    rig.pass(10_000 + RigOptions.GRACE);
    rig.answer(PushOutcome.ACCEPTED);
    rig.report(Status.FAILURE, "a");

    assertThat(outcomes("a"))
        .containsExactly(
            "STORE stored",
            "DELIVERY busy",
            "DELIVERY refused",
            "DELIVERY deadline_passed",
            "DELIVERY failure",
            "REPORT failure",
            "FORWARD forwarded",
            "IN_FLIGHT dead_lettered");
    assertThat(rig.spans.stream().filter(span -> span.step() == Step.DELIVERY).toList())
        .extracting(TaskSpan::failed)
        .containsExactly(false, true, true, true);
    assertThat(step(Step.FORWARD).target()).isEqualTo("dead-letters");
    assertThat(step(Step.IN_FLIGHT).failed()).isTrue();
  }

  @Test
  void aStayInFlightSurvivesARestart() {
    partition.send(Task.of("a"));
    rig.answer(PushOutcome.ACCEPTED);
    long stored = step(Step.STORE).storedAt();
    rig.pass(60_000);
    rig.crash();
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.pass(60_000);
    rig.report(Status.COMPLETE, "a");

    assertThat(step(Step.IN_FLIGHT).from()).isEqualTo(stored);
    assertThat(step(Step.IN_FLIGHT).storedAt()).isEqualTo(stored);
    assertThat(outcomes("a").getLast()).isEqualTo("IN_FLIGHT completed");
  }

  @Test
  void aRetryInTheStoreIsAnotherStay() {
    var pulled = new EngineRig(RigOptions.pull().traced());
    RigWorker worker = RigWorker.open(pulled, 1);
    enqueue(pulled, RetryPolicy.newBuilder().setMaxAttempts(2));
    worker.fail(worker.last());
    pulled.pass(1);
    worker.result(new Outcome.Released(), worker.last());
    worker.complete(worker.last());

    assertThat(pulled.spans.stream().map(TaskSpansTest::outcome).toList())
        .containsExactly(
            "STORE stored",
            "IN_FLIGHT retried",
            "DELIVERY failure",
            "REPORT failure",
            "DELIVERY released",
            "DELIVERY complete",
            "REPORT complete",
            "IN_FLIGHT completed");
    assertThat(pulled.spans.stream().filter(span -> span.step() == Step.DELIVERY).toList())
        .extracting(TaskSpan::target)
        .containsOnly("rig");
  }

  @Test
  void aRecordThatIsDroppedHasOneSpan() {
    partition.send(Task.of("a"), Task.of("a"), Task.of("b").expiresAt(rig.wall - 1));

    assertThat(outcomes("b")).containsExactly("STORE expired_on_arrival");
    assertThat(outcomes("a")).contains("STORE duplicate");
    assertThat(rig.spans.stream().filter(span -> span.storedAt() == 0).toList()).hasSize(2);
  }

  @Test
  void nothingIsReportedUnlessItIsAskedFor() {
    var quiet = new EngineRig(RigOptions.push("app"));
    quiet.worker = _ -> PushOutcome.ACCEPTED;
    quiet.assigned("tasks").send(Task.of("a"));
    quiet.report(Status.COMPLETE, "a");
    assertThat(quiet.spans).isEmpty();
  }

  /// Enqueues a task "a".
  private static void enqueue(EngineRig rig, RetryPolicy.Builder policy) {
    byte[] payload =
        io.taskbroker.protocol.v1.Task.newBuilder()
            .setId("a")
            .setName("task")
            .setRetry(policy)
            .build()
            .toByteArray();
    var activation = Task.of("a").at(Origin.enqueued(0), rig.wall).withPayload(payload);
    rig.tell(
        new Command.Enqueue(
            List.of(activation),
            new Command.EnqueueReply() {
              @Override
              public void done(List<EnqueueOutcome> outcomes) {
                assertThat(outcomes).containsOnly(EnqueueOutcome.ACCEPTED);
              }

              @Override
              public void unavailable(String why) {
                throw new AssertionError(why);
              }
            }));
    rig.settle();
  }

  private List<String> outcomes(String id) {
    return rig.spans.stream()
        .filter(span -> span.activation().id().equals(id))
        .map(TaskSpansTest::outcome)
        .toList();
  }

  private static String outcome(TaskSpan span) {
    return span.step() + " " + span.outcome();
  }

  private TaskSpan step(Step step) {
    return rig.spans.stream().filter(span -> span.step() == step).findFirst().orElseThrow();
  }
}
