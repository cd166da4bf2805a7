package io.taskbroker.admin;

import io.taskbroker.inflight.api.ApplicationStats;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.OperatorRequest.Act;
import io.taskbroker.inflight.api.OperatorRequest.Outcome;
import io.taskbroker.inflight.api.OperatorRequest.Target;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.TaskSnapshot;
import io.taskbroker.inflight.api.WorkerStats;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/// Questions to the engine, a bounded number at a time, with a time limit. Thread-safe; blocks the
/// calling thread.
final class EngineQueries {
  private static final int AT_A_TIME = 4;
  private static final long TIMEOUT_MS = 5_000;
  private static final int MAX_APPLICATIONS = 1_000;
  private static final int MAX_WORKERS = 1_000;

  private final CommandSink engine;
  private final Semaphore places = new Semaphore(AT_A_TIME);

  EngineQueries(CommandSink engine) {
    this.engine = engine;
  }

  EngineStats stats() throws InterruptedException {
    return ask(reply -> new Command.ReadStats(reply));
  }

  List<ApplicationStats> applications() throws InterruptedException {
    return ask(
        reply -> new Command.Operate(new OperatorRequest.Applications(MAX_APPLICATIONS, reply)));
  }

  /// Workers with streams.
  List<WorkerStats> workers() throws InterruptedException {
    return ask(reply -> new Command.Operate(new OperatorRequest.Workers(MAX_WORKERS, reply)));
  }

  /// @param ids at most [OperatorRequest#MAX_TASKS]
  List<TaskSnapshot> inspect(List<String> ids) throws InterruptedException {
    return ids.isEmpty()
        ? List.of()
        : ask(reply -> new Command.Operate(new OperatorRequest.Inspect(ids, reply)));
  }

  /// Answers when everything is durable.
  List<Outcome> act(Act.Kind kind, List<Target> targets, boolean dryRun, long until, int priority)
      throws InterruptedException {
    return ask(
        reply -> new Command.Operate(new Act(kind, targets, dryRun, until, priority, reply)));
  }

  void pause(Pauses pauses) throws InterruptedException {
    boolean _ =
        ask(reply ->
            new Command.Operate(
                new OperatorRequest.ChangePauses(pauses, () -> reply.accept(true))));
  }

  void drain() {
    engine.submit(new Command.Drain());
  }

  private interface Question<T> {
    Command with(Consumer<T> reply);
  }

  private <T> T ask(Question<T> question) throws InterruptedException {
    if (!places.tryAcquire(TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
      throw ApiProblem.unavailable("Too many requests ask the engine at once; try again");
    }
    try {
      var answer = new CompletableFuture<T>();
      engine.submit(question.with(answer::complete));
      return answer.get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      throw ApiProblem.unavailable(
          "The engine did not answer within "
              + TIMEOUT_MS / 1_000
              + " s: see /health; an act may still be done later");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } finally {
      places.release();
    }
  }
}
