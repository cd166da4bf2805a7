package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Outcome;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.inflight.api.TaskQuery.Phase;
import io.taskbroker.inflight.api.TaskQuery.View;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Queries and cancellation of a task by its id.
final class TaskQueriesTest {
  private static final long WINDOW = 60_000;

  private final EngineRig rig = new EngineRig(RigOptions.pull());

  @Test
  void aTaskIsSeenInEachPhase() {
    assertThat(isUnknown("a")).isTrue();
    enqueue(Task.of("a").delayUntil(rig.wall + 1_000));
    enqueue(Task.of("far").delayUntil(rig.wall + RigOptions.PARK_HORIZON + 1));
    assertThat(phase("a")).isEqualTo(Phase.DELAYED);
    assertThat(phase("far")).isEqualTo(Phase.PARKED);
    rig.pass(1_000);
    assertThat(phase("a")).isEqualTo(Phase.PENDING);
    RigWorker worker = RigWorker.open(rig, 1);
    assertThat(find("a").token()).isEqualTo(worker.last().token());
    worker.complete(worker.last());
    assertThat(find("a").end()).isEqualTo(TaskEnd.COMPLETED);
    rig.crash();
    assertThat(find("a").end()).as("after a restart").isEqualTo(TaskEnd.COMPLETED);
    rig.pass(WINDOW + 32);
    assertThat(isUnknown("a")).isTrue();
  }

  @Test
  void waitEndsWhenTheEndIsDurable() {
    enqueue(Task.of("a"));
    RecordedReply waiting = ask(new TaskQuery.Await("a", new RecordedReply()));
    RigWorker worker = RigWorker.open(rig, 1);
    rig.commits = false;
    worker.result(new Outcome.Failed("", true, -1, -1), worker.last());
    assertThat(waiting.answers).isZero();
    rig.commitAndSettle();
    assertThat(waiting.view()).isEqualTo(View.ended(TaskEnd.FAILED));
    assertThat(ask(new TaskQuery.Await("a", new RecordedReply())).view().end())
        .isEqualTo(TaskEnd.FAILED);
  }

  @Test
  void cancelledTaskEndsWhereverItWaits() {
    enqueue(Task.of("a"));
    enqueue(Task.of("later").delayUntil(rig.wall + 1_000));
    enqueue(Task.of("far").delayUntil(rig.wall + RigOptions.PARK_HORIZON + 1));
    for (String id : List.of("a", "later", "far")) {
      assertThat(cancel(id).view()).isEqualTo(View.ended(TaskEnd.CANCELLED));
      assertThat(find(id).end()).isEqualTo(TaskEnd.CANCELLED);
    }
    assertThat(rig.store.rows()).isEmpty();
    assertThat(cancel("unknown").view).isNull();
    rig.pass(WINDOW - 1);
    assertThat(isUnknown("far")).isFalse();
    rig.pass(33);
    for (String id : List.of("a", "later", "far")) {
      assertThat(isUnknown(id)).as("%s is remembered as long as its client asked", id).isTrue();
    }
  }

  @Test
  void parkedTaskWhoseRowWaitsForSpaceIsCancelled() {
    rig.commits = false;
    rig.tell(
        new Command.Enqueue(
            List.of(
                Task.of("far")
                    .delayUntil(rig.wall + RigOptions.PARK_HORIZON + 1)
                    .derived()
                    .at(Origin.enqueued(WINDOW), rig.wall)),
            new IgnoredReply()));
    rig.settle();
    RecordedReply reply = cancel("far");
    rig.commits = true;
    rig.commitAndSettle();
    assertThat(reply.view()).isEqualTo(View.ended(TaskEnd.CANCELLED));
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void cancelledTaskOfAWorkerIsNotTriedAgain() {
    enqueue(Task.of("a").deadline(1));
    RigWorker worker = RigWorker.open(rig, 1);
    assertThat(cancel("a").view().phase()).isEqualTo(Phase.RUNNING);
    assertThat(worker.cancelled).containsExactly("a");
    assertThat(cancel("a").view().phase()).isEqualTo(Phase.RUNNING);
    assertThat(worker.cancelled).as("of several cancellations").hasSize(1);
    RecordedReply waiting = ask(new TaskQuery.Await("a", new RecordedReply()));
    rig.pass(1_000 + RigOptions.GRACE);
    assertThat(waiting.view().end()).isEqualTo(TaskEnd.CANCELLED);
    assertThat(worker.received).hasSize(1);
  }

  @Test
  void aWorkerThatComesBackIsToldToStopACancelledTask() {
    enqueue(Task.of("a"));
    RigWorker before = RigWorker.open(rig, 1);
    before.close(false);
    assertThat(cancel("a").view().phase()).isEqualTo(Phase.RUNNING);
    RigWorker after = RigWorker.open(rig, 1);
    after.heartbeat(before.last());
    assertThat(after.cancelled).containsExactly("a");
  }

  @Test
  void g3TaskThatIsCancelledBeforeItsStatusIsDurableIsNotDelivered() {
    RigWorker worker = RigWorker.open(rig, 1);
    rig.commits = false;
    enqueue(Task.once("a"));
    rig.commitAndSettle();
    assertThat(cancel("a").view().phase()).isEqualTo(Phase.RUNNING);
    rig.commits = true;
    rig.commitAndSettle();
    assertThat(worker.received).isEmpty();
    assertThat(find("a").end()).isEqualTo(TaskEnd.CANCELLED);
  }

  @Test
  void aWaitThatIsGivenUpIsAnsweredWithTheTaskAsItIs() {
    enqueue(Task.of("a"));
    var query = new TaskQuery.Await("a", new RecordedReply());
    RecordedReply reply = ask(query);
    rig.tell(new Command.AskNoMore(query));
    rig.settle();
    assertThat(reply.view().phase()).isEqualTo(Phase.PENDING);
    cancel("a");
    assertThat(reply.answers).isOne();
  }

  /// The client cancelled its call before the engine took the question.
  @Test
  void g7AWaitOfAClientThatHasGoneIsNotKept() {
    enqueue(Task.of("a"));
    var reply = new RecordedReply();
    reply.gone = true;
    ask(new TaskQuery.Await("a", reply));
    assertThat(reply.answers).isOne();
  }

  private Phase phase(String id) {
    return find(id).phase();
  }

  private View find(String id) {
    return ask(new TaskQuery.Find(id, new RecordedReply())).view();
  }

  private boolean isUnknown(String id) {
    return ask(new TaskQuery.Find(id, new RecordedReply())).view == null;
  }

  private RecordedReply cancel(String id) {
    return ask(new TaskQuery.Cancel(id, new RecordedReply()));
  }

  private RecordedReply ask(TaskQuery query) {
    rig.tell(new Command.Ask(query));
    rig.settle();
    return (RecordedReply) query.reply();
  }

  private void enqueue(Task task) {
    Activation activation = task.derived().at(Origin.enqueued(WINDOW), rig.wall);
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

  private static final class IgnoredReply implements Command.EnqueueReply {
    @Override
    public void done(List<EnqueueOutcome> outcomes) {}

    @Override
    public void unavailable(String why) {}
  }

  private static final class RecordedReply implements TaskQuery.Reply {
    private @Nullable View view;
    int answers;
    boolean gone;

    View view() {
      return Objects.requireNonNull(view);
    }

    @Override
    public void done(@Nullable View answer) {
      answers++;
      view = answer;
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }

    @Override
    public boolean isGone() {
      return gone;
    }
  }
}
