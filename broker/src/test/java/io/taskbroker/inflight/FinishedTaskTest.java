package io.taskbroker.inflight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.TaskHistory;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.inflight.api.TaskQuery.View;
import io.taskbroker.protocol.v1.RetryPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Records of finished tasks, and results that clients asked for (docs/adr/0038).
final class FinishedTaskTest {
  private static final long WINDOW = 60_000;
  private static final long RETENTION = 3_600_000;
  private static final byte[] RESULT = "42".getBytes(UTF_8);

  private EngineRig rig = new EngineRig(RigOptions.pull().finishedRetention(RETENTION));

  @Test
  void withoutRetentionNoTaskLeavesARecord() {
    rig = new EngineRig(RigOptions.pull());
    enqueue(Task.of("a"), false);
    RigWorker worker = RigWorker.open(rig, 1);
    worker.result(new Command.Outcome.Completed(RESULT), worker.last());
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.store.finished).isEmpty();
    assertThat(find("a").result()).isEmpty();
  }

  @Test
  void recordTellsWhatHappened() {
    enqueue(Task.of("a"), false);
    RigWorker worker = RigWorker.open(rig, 1);
    rig.pass(500);
    worker.complete(worker.last());
    FinishedTask record = record("a");
    assertThat(record.outcome()).isEqualTo(Outcome.COMPLETED);
    assertThat(record.endedAt()).isEqualTo(rig.wall);
    assertThat(record.deliveredAt()).isEqualTo(rig.wall - 500);
    assertThat(record.keptUntil()).isEqualTo(rig.wall + RETENTION);
    assertThat(record.deliveries()).isOne();
    assertThat(record.worker()).isEqualTo("rig");
    assertThat(record.asked()).isFalse();
    assertThat(steps(record))
        .containsExactly(
            "RECEIVED", "STORED", "DELIVERED 1 rig", "REPORTED Complete", "ENDED completed");
  }

  @Test
  void recordOfAFailureHasTheMessageOfItsWorkerAndAllAttempts() {
    Activation plain = Task.of("a").at(Origin.enqueued(WINDOW), rig.wall);
    enqueue(
        plain.withPayload(
            io.taskbroker.protocol.v1.Task.newBuilder()
                .setId("a")
                .setRetry(RetryPolicy.newBuilder().setMaxAttempts(2))
                .build()
                .toByteArray()));
    RigWorker worker = RigWorker.open(rig, 1);
    worker.result(new Command.Outcome.Failed("first", false, -1, -1), worker.last());
    worker.result(new Command.Outcome.Failed("second", false, -1, -1), worker.last());
    FinishedTask record = record("a");
    assertThat(record.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(record.message()).isEqualTo("second");
    assertThat(record.deliveries()).isEqualTo(2);
    assertThat(steps(record))
        .containsExactly(
            "RECEIVED",
            "STORED",
            "DELIVERED 1 rig",
            "REPORTED Failure",
            "RETRIED attempt 2",
            "STORED",
            "DELIVERED 2 rig",
            "REPORTED Failure",
            "ENDED failed");
  }

  @Test
  void g7TheMessageOfAFailedAttemptCountsAsMemoryOfItsTask() {
    enqueue(
        Task.of("a")
            .at(Origin.enqueued(WINDOW), rig.wall)
            .withPayload(
                io.taskbroker.protocol.v1.Task.newBuilder()
                    .setId("a")
                    .setRetry(RetryPolicy.newBuilder().setMaxAttempts(2).setDelayMs(60_000))
                    .build()
                    .toByteArray()));
    RigWorker worker = RigWorker.open(rig, 1);
    long before = rig.depths().memoryBytes();
    worker.result(new Command.Outcome.Failed("x".repeat(4_000), false, -1, -1), worker.last());
    assertThat(rig.depths().memoryBytes() - before).isBetween(4_000L, 4_100L);
  }

  @Test
  void eachEndHasItsOutcome() {
    RigPartition partition = rig.assigned("tasks");
    rig.produces = true;
    partition.send(Task.of("dead").deadLetters(), Task.of("dropped"), Task.of("again"));
    partition.send(Task.of("late").expiresAt(rig.wall + 10));
    enqueue(Task.of("parked").delayUntil(rig.wall + RigOptions.PARK_HORIZON + 1), false);
    for (int i = 0; i < 3; i++) {
      rig.claim();
    }
    rig.report(Status.FAILURE, "dead");
    rig.report(Status.FAILURE, "dropped");
    rig.report(Status.RETRY, "again");
    rig.pass(20);
    ask(new TaskQuery.Cancel("parked", new RecordedReply()));
    assertThat(record("dead").outcome()).isEqualTo(Outcome.DEAD_LETTERED);
    assertThat(record("dead").message()).isEqualTo("its worker reported a failure");
    assertThat(record("dropped").outcome()).isEqualTo(Outcome.FAILED);
    assertThat(record("again").outcome()).isEqualTo(Outcome.RETRIED);
    assertThat(record("late").outcome()).isEqualTo(Outcome.EXPIRED);
    assertThat(record("parked").outcome()).isEqualTo(Outcome.CANCELLED);
  }

  @Test
  void recordOfATaskFromBeforeARestartSaysSo() {
    enqueue(Task.of("a"), false);
    rig.crash();
    RigWorker worker = RigWorker.open(rig, 1);
    worker.complete(worker.last());
    assertThat(steps(record("a")).getFirst()).isEqualTo("LOADED");
  }

  @Test
  void resultThatWasAskedForIsKeptWithoutRetentionAndAcrossARestart() {
    rig = new EngineRig(RigOptions.pull());
    enqueue(Task.of("a"), true);
    RecordedReply waiting = ask(new TaskQuery.Await("a", new RecordedReply()));
    RigWorker worker = RigWorker.open(rig, 1);
    worker.result(new Command.Outcome.Completed(RESULT), worker.last());
    assertThat(waiting.view().result()).isEqualTo(RESULT);
    assertThat(find("a").result()).isEqualTo(RESULT);
    rig.crash();
    View view = find("a");
    assertThat(view.end()).isEqualTo(TaskEnd.COMPLETED);
    assertThat(view.result()).isEqualTo(RESULT);
    assertThat(ask(new TaskQuery.Await("a", new RecordedReply())).view().result())
        .isEqualTo(RESULT);
    assertThat(record("a").keptUntil()).isBetween(rig.wall + WINDOW, rig.wall + WINDOW + 32);
  }

  @Test
  void messageOfAFailureIsKeptForWhoAsked() {
    rig = new EngineRig(RigOptions.pull());
    enqueue(Task.of("a"), true);
    RecordedReply waiting = ask(new TaskQuery.Await("a", new RecordedReply()));
    RigWorker worker = RigWorker.open(rig, 1);
    worker.result(new Command.Outcome.Failed("no such order", true, -1, -1), worker.last());
    assertThat(waiting.view()).isEqualTo(View.ended(TaskEnd.FAILED, "no such order", null));
    rig.crash();
    assertThat(find("a").message()).isEqualTo("no such order");
  }

  @Test
  void progressOfARunningTaskIsSeen() {
    enqueue(Task.of("a"), false);
    RigWorker worker = RigWorker.open(rig, 1);
    assertThat(find("a").progress()).isEmpty();
    worker.progress("half", worker.last());
    worker.heartbeat(worker.last());
    assertThat(find("a").progress()).isEqualTo("half");
  }

  @Test
  void g7ProgressCountsAsMemoryOfItsTask() {
    enqueue(Task.of("a"), false);
    RigWorker worker = RigWorker.open(rig, 1);
    long before = rig.depths().memoryBytes();
    worker.progress("x".repeat(1_000), worker.last());
    assertThat(rig.depths().memoryBytes() - before).isEqualTo(1_000);
    worker.complete(worker.last());
    assertThat(rig.depths().memoryBytes()).isZero();
  }

  private FinishedTask record(String id) {
    return Objects.requireNonNull(rig.store.finished.get(id), id);
  }

  private static List<String> steps(FinishedTask record) {
    return TaskHistory.decode(record.history()).stream()
        .map(entry -> (entry.step() + " " + entry.detail()).strip())
        .toList();
  }

  private View find(String id) {
    return ask(new TaskQuery.Find(id, new RecordedReply())).view();
  }

  private RecordedReply ask(TaskQuery query) {
    rig.tell(new Command.Ask(query));
    rig.settle();
    return (RecordedReply) query.reply();
  }

  private void enqueue(Task task, boolean keepsResult) {
    Origin origin = Origin.enqueued(WINDOW);
    enqueue(task.derived().at(keepsResult ? origin.keepingResult() : origin, rig.wall));
  }

  private void enqueue(Activation activation) {
    List<EnqueueOutcome> answer = new ArrayList<>();
    rig.tell(
        new Command.Enqueue(
            List.of(activation),
            new Command.EnqueueReply() {
              @Override
              public void done(List<EnqueueOutcome> outcomes) {
                answer.addAll(outcomes);
              }

              @Override
              public void unavailable(String why) {
                throw new AssertionError(why);
              }
            }));
    rig.settle();
    assertThat(answer).containsExactly(EnqueueOutcome.ACCEPTED);
  }

  private static final class RecordedReply implements TaskQuery.Reply {
    private @Nullable View view;

    View view() {
      return Objects.requireNonNull(view);
    }

    @Override
    public void done(@Nullable View answer) {
      view = answer;
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }
  }
}
