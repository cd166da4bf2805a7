package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.NextAttempt;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Outcome;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.ResultStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Handler of the results that workers send on their streams. Each carries the token of its
/// attempt: one of another attempt has no effect, and its worker is told so. The answer waits until
/// all effects are durable (G2). Not thread-safe.
final class WorkerResults {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Timeouts timeouts;
  private final ReportHandler reports;
  private final Workers workers;

  WorkerResults(
      EngineState state,
      TaskCompletion completion,
      Timeouts timeouts,
      ReportHandler reports,
      Workers workers) {
    this.state = state;
    this.completion = completion;
    this.timeouts = timeouts;
    this.reports = reports;
    this.workers = workers;
  }

  /// Answers the worker once everything is durable.
  private record Answer(Command.ResultsReply reply, List<ResultStatus> statuses)
      implements Command.ReportReply {
    @Override
    public void done(@Nullable Delivery next) {
      reply.done(statuses);
    }

    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }
  }

  void handle(Command.Results results) {
    List<ResultStatus> statuses = new ArrayList<>(results.results().size());
    var reply =
        new Reply(new Command.Report(List.of(), null, new Answer(results.reply(), statuses)));
    for (Command.Result result : results.results()) {
      workers.ended(results.session(), result.token());
      statuses.add(handle(result, reply));
    }
    state.settled.addLast(reply);
  }

  private ResultStatus handle(Command.Result result, Reply reply) {
    InFlightTask task = state.tasks.get(result.id());
    if (task == null) {
      return handleAbsent(result, reply);
    }
    if (reports.isOfAnotherDelivery(task, result.token()) || !counts(task, result.outcome())) {
      ReportHandler.awaitDecision(task, reply);
      state.event(EngineEvent.STALE_REPORT, task, name(result.outcome()));
      return ResultStatus.STALE;
    }
    state.leaveWorker(task);
    switch (result.outcome()) {
      case Outcome.Completed completed -> {
        state.recorder.result(task, completed.result());
        reports.handle(task, update(result, Status.COMPLETE), reply);
      }
      case Outcome.Failed failed -> failed(task, result, failed, reply);
      case Outcome.Released _ -> {
        state.because(task, "released", "");
        timeouts.requeue(task, false);
      }
    }
    return ResultStatus.ACCEPTED;
  }

  /// Whether a result of the task's last attempt has an effect, or repeats one that had. After a
  /// start a release may repeat one of an earlier delivery, since tokens are not stored: an
  /// at-most-once task that a later worker began would run again (G3).
  private static boolean counts(InFlightTask task, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Completed _ -> task.step() != Step.PRODUCING;
      case Outcome.Failed _ ->
          task.step() == Step.DELETING
              || task.step() == Step.FORWARDING
              || ReportHandler.isPlausible(task);
      case Outcome.Released _ ->
          task.step() == Step.STORED
              && task.status() == Status.PROCESSING
              && (task.attempt != 0 || !task.activation.atMostOnce());
    };
  }

  private void failed(
      InFlightTask task, Command.Result result, Outcome.Failed failed, Reply reply) {
    state.recorder.failure(task, failed.message());
    state.memory.recount(task);
    Optional<NextAttempt> next =
        failed.last() || task.cancelled || !ReportHandler.isPlausible(task)
            ? Optional.empty()
            : NextAttempt.after(
                task.activation.payload(), failed.maxAttempts(), failed.retryAfter(), state.random);
    if (next.isEmpty()) {
      reports.handle(task, update(result, Status.FAILURE), reply);
    } else if (task.activation.origin().partition() < 0) {
      if (state.spans != null) {
        state.spans.reported(task, "failure", failed.message());
      }
      state.recorder.reported(task, Status.FAILURE, state.wall);
      completion.retryHere(task, next.get()).await(reply);
    } else {
      long seconds = (next.get().delay() + 999) / 1_000;
      var retry =
          new Command.Update(
              task.id(), Status.RETRY, failed.maxAttempts(), seconds, result.token());
      reports.handle(task, retry, reply);
    }
  }

  private ResultStatus handleAbsent(Command.Result result, Reply reply) {
    Fingerprint id = Ids.fingerprint(result.id());
    PartitionKey partition = state.parked.size() > 0 ? state.parked.find(id) : null;
    if (partition == null) {
      return ResultStatus.UNKNOWN;
    }
    boolean counts =
        result.outcome() instanceof Outcome.Completed
            && state.isInherited(state.parked.key(id, partition));
    if (!counts) {
      return ResultStatus.STALE;
    }
    reports.handle(update(result, Status.COMPLETE), reply);
    return ResultStatus.ACCEPTED;
  }

  private static Command.Update update(Command.Result result, Status status) {
    return new Command.Update(result.id(), status, -1, -1, result.token());
  }

  private static String name(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Completed _ -> "Completed";
      case Outcome.Failed _ -> "Failed";
      case Outcome.Released _ -> "Released";
    };
  }
}
