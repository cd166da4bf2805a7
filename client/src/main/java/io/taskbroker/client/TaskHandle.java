package io.taskbroker.client;

import io.taskbroker.client.codec.Payloads;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.protocol.v1.AwaitResponse;
import io.taskbroker.protocol.v1.GetResponse;
import io.taskbroker.protocol.v1.Outcome;
import java.time.Duration;
import java.util.Optional;

/// One enqueued call: ask for its state, wait for its end, cancel it. Thread-safe, holds nothing.
public final class TaskHandle {
  private static final Duration MAX_WAIT = Duration.ofHours(1);

  private final TaskTransport transport;
  private final Payloads payloads;
  private final String broker;
  private final String id;
  private final boolean isNew;

  TaskHandle(TaskTransport transport, Payloads payloads, String broker, String id, boolean isNew) {
    this.transport = transport;
    this.payloads = payloads;
    this.broker = broker;
    this.id = id;
    this.isNew = isNew;
  }

  public String id() {
    return id;
  }

  /// Whether this enqueue created the task; false if one of the same id or key was in flight, or is
  /// remembered, and nothing was changed.
  public boolean isNew() {
    return isNew;
  }

  /// Waits until the task has ended, however it ended.
  ///
  /// @throws TaskTimeoutException if it has not ended in time
  /// @throws TaskNotFoundException if the broker does not remember it
  /// @throws BrokerUnavailableException if the broker does not answer
  public TaskOutcome await(Duration timeout) {
    long end = System.nanoTime() + timeout.toNanos();
    while (true) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw new TaskTimeoutException("Task " + id + " has not ended within " + timeout);
      }
      Duration wait = Duration.ofNanos(Math.min(left, MAX_WAIT.toNanos()));
      AwaitResponse response = transport.await(broker, id, wait);
      if (response.hasOutcome()) {
        return outcome(response.getOutcome());
      }
    }
  }

  /// Present state of the task.
  ///
  /// @throws TaskNotFoundException if the broker does not remember it
  public TaskState state() {
    return TaskState.of(transport.get(broker, id).getState());
  }

  /// Last progress that its handler reported; may be empty.
  public String progress() {
    return transport.get(broker, id).getProgress();
  }

  /// Its outcome, if it has ended.
  public Optional<TaskOutcome> outcome() {
    GetResponse response = transport.get(broker, id);
    return response.hasOutcome() ? Optional.of(outcome(response.getOutcome())) : Optional.empty();
  }

  /// Cancels the task: at once if it waits; if it runs, its handler is asked to stop.
  ///
  /// @return [TaskState#ENDED] if it has ended, [TaskState#RUNNING] if its handler was asked
  public TaskState cancel() {
    return transport.cancel(broker, id);
  }

  private TaskOutcome outcome(Outcome outcome) {
    TaskOutcome.Kind kind =
        switch (outcome.getKind()) {
          case OUTCOME_KIND_COMPLETED -> TaskOutcome.Kind.COMPLETED;
          case OUTCOME_KIND_FAILED -> TaskOutcome.Kind.FAILED;
          case OUTCOME_KIND_CANCELLED -> TaskOutcome.Kind.CANCELLED;
          case OUTCOME_KIND_EXPIRED -> TaskOutcome.Kind.EXPIRED;
          case OUTCOME_KIND_UNSPECIFIED, UNRECOGNIZED -> TaskOutcome.Kind.UNKNOWN;
        };
    return new TaskOutcome(
        id, kind, outcome.getResult().toByteArray(), outcome.getMessage(), payloads);
  }

  @Override
  public String toString() {
    return "TaskHandle[" + id + "]";
  }
}
