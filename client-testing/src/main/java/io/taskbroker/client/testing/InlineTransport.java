package io.taskbroker.client.testing;

import io.taskbroker.client.TaskNotFoundException;
import io.taskbroker.client.TaskOutcome;
import io.taskbroker.client.TaskState;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.protocol.v1.AwaitResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.GetResponse;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Outcome;
import io.taskbroker.protocol.v1.OutcomeKind;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// Transport to an [InlineBroker].
final class InlineTransport implements TaskTransport {
  private final InlineBroker broker;

  InlineTransport(InlineBroker broker) {
    this.broker = broker;
  }

  @Override
  public CompletableFuture<Enqueued> enqueue(NewTask call, boolean waits) {
    InlineTasks.Added added = broker.add(call);
    EnqueueResult result =
        EnqueueResult.newBuilder()
            .setStatus(
                added.isNew()
                    ? EnqueueStatus.ENQUEUE_STATUS_ACCEPTED
                    : EnqueueStatus.ENQUEUE_STATUS_ALREADY_EXISTS)
            .setId(added.task().id())
            .build();
    return CompletableFuture.completedFuture(new Enqueued(result, ""));
  }

  @Override
  public GetResponse get(String target, String id) {
    InlineTask task = find(id);
    GetResponse.Builder response =
        GetResponse.newBuilder().setId(id).setProgress(task.progress).setTask(task.task);
    TaskOutcome outcome = task.outcome;
    if (outcome != null) {
      return response
          .setState(io.taskbroker.protocol.v1.TaskState.TASK_STATE_ENDED)
          .setOutcome(wire(outcome))
          .build();
    }
    boolean delayed = task.due.isAfter(broker.clock().instant());
    return response
        .setState(
            task.running
                ? io.taskbroker.protocol.v1.TaskState.TASK_STATE_RUNNING
                : delayed
                    ? io.taskbroker.protocol.v1.TaskState.TASK_STATE_DELAYED
                    : io.taskbroker.protocol.v1.TaskState.TASK_STATE_PENDING)
        .build();
  }

  @Override
  public AwaitResponse await(String target, String id, Duration timeout) {
    AwaitResponse.Builder response = AwaitResponse.newBuilder();
    broker.await(find(id), timeout).ifPresent(outcome -> response.setOutcome(wire(outcome)));
    return response.build();
  }

  @Override
  public TaskState cancel(String target, String id) {
    broker.cancel(find(id));
    return TaskState.ENDED;
  }

  private InlineTask find(String id) {
    return broker
        .find(id)
        .orElseThrow(() -> new TaskNotFoundException("No task " + id + " was enqueued"));
  }

  private static Outcome wire(TaskOutcome outcome) {
    return Outcome.newBuilder()
        .setKind(
            switch (outcome.kind()) {
              case COMPLETED -> OutcomeKind.OUTCOME_KIND_COMPLETED;
              case FAILED -> OutcomeKind.OUTCOME_KIND_FAILED;
              case CANCELLED -> OutcomeKind.OUTCOME_KIND_CANCELLED;
              case EXPIRED -> OutcomeKind.OUTCOME_KIND_EXPIRED;
              case UNKNOWN -> OutcomeKind.OUTCOME_KIND_UNSPECIFIED;
            })
        .setMessage(outcome.message())
        .setResult(InlineBroker.resultOf(outcome))
        .build();
  }

  @Override
  public void close() {}
}
