package io.taskbroker.client.testing;

import io.taskbroker.client.Cancellation;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskOutcome;
import io.taskbroker.client.codec.Payloads;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.Result;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Tasks of an [InlineBroker], and what results do to them. Guarded by it.
final class InlineTasks {
  private static final Comparator<InlineTask> ORDER =
      Comparator.comparing((InlineTask each) -> each.due).thenComparingLong(each -> each.sequence);
  private static final byte[] NO_RESULT = {};

  private final Payloads payloads;
  private final Map<String, InlineTask> byId = new HashMap<>();
  private final List<InlineTask> all = new ArrayList<>();
  private final List<InlineTask> deadLetters = new ArrayList<>();
  private long sequence;
  private long token;

  InlineTasks(Payloads payloads) {
    this.payloads = payloads;
  }

  /// The task of that id, and whether it is new.
  record Added(InlineTask task, boolean isNew) {}

  Added add(NewTask call, Instant now) {
    String id =
        call.getTask().getId().isEmpty()
            ? String.join(
                ":",
                call.getTask().getApplication(),
                call.getTask().getNamespace(),
                call.getIdempotencyKey())
            : call.getTask().getId();
    InlineTask known = byId.get(id);
    if (known != null) {
      return new Added(known, false);
    }
    sequence++;
    InlineTask task = new InlineTask(call, id, sequence, now);
    byId.put(id, task);
    all.add(task);
    return new Added(task, true);
  }

  Optional<InlineTask> find(String id) {
    return Optional.ofNullable(byId.get(id));
  }

  int size() {
    return all.size();
  }

  /// Arguments of all tasks of a kind, in the order of their calls.
  <T> List<T> arguments(Task<T> kind) {
    return arguments(all, kind);
  }

  /// Arguments of the dead letters of a kind.
  <T> List<T> deadArguments(Task<T> kind) {
    return arguments(deadLetters, kind);
  }

  private <T> List<T> arguments(List<InlineTask> from, Task<T> kind) {
    return from.stream()
        .filter(each ->
            each.task.getName().equals(kind.name())
                && each.task.getNamespace().equals(kind.namespace()))
        .map(each ->
            payloads.decode(
                each.task.getArguments().toByteArray(),
                "",
                each.task.getHeadersMap(),
                kind.type(),
                kind.codec()))
        .toList();
  }

  void clear() {
    byId.clear();
    all.clear();
    deadLetters.clear();
  }

  /// The first task that waits and is due by then.
  @Nullable InlineTask firstDue(Instant by) {
    Predicate<InlineTask> due = each -> each.isWaiting() && !each.due.isAfter(by);
    return all.stream().filter(due).min(ORDER).orElse(null);
  }

  /// Begins an attempt; null if the task has expired instead.
  @Nullable Delivery begin(InlineTask task, Instant now) {
    if (task.expiresAt != null && now.isAfter(task.expiresAt)) {
      end(task, TaskOutcome.Kind.EXPIRED, "", NO_RESULT);
      return null;
    }
    task.running = true;
    token++;
    return Delivery.newBuilder()
        .setTask(task.task)
        .setToken(AttemptToken.newBuilder().setEpoch(1).setNumber(token))
        .build();
  }

  /// Ends an attempt; without effect if the task was cancelled meanwhile.
  void finish(InlineTask task, Result result, String progress, Instant now) {
    task.running = false;
    task.progress = progress;
    if (task.outcome != null) {
      return;
    }
    switch (result.getOutcomeCase()) {
      case COMPLETED ->
          end(
              task,
              TaskOutcome.Kind.COMPLETED,
              "",
              task.call.getKeepResult()
                  ? result.getCompleted().getResult().toByteArray()
                  : NO_RESULT);
      case FAILED -> failed(task, result.getFailed(), now);
      case RELEASED, OUTCOME_NOT_SET -> task.due = now;
    }
  }

  private void failed(InlineTask task, Failed failed, Instant now) {
    if (!failed.getFinal() && task.hasAttemptsLeft()) {
      task.retry(
          now, failed.hasRetryAfterMs() ? Duration.ofMillis(failed.getRetryAfterMs()) : null);
      return;
    }
    if (task.task.getRetry().getOnFailure() == OnFailure.ON_FAILURE_DEAD_LETTER) {
      deadLetters.add(task);
    }
    end(task, TaskOutcome.Kind.FAILED, failed.getMessage(), NO_RESULT);
  }

  void cancel(InlineTask task) {
    if (task.outcome == null) {
      end(task, TaskOutcome.Kind.CANCELLED, Cancellation.Reason.REQUESTED.name(), NO_RESULT);
    }
  }

  private void end(InlineTask task, TaskOutcome.Kind kind, String message, byte[] result) {
    task.outcome = new TaskOutcome(task.id(), kind, result, message, payloads);
  }
}
