package io.taskbroker.inflight;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import java.util.ArrayList;
import java.util.List;

/// Reports and the brokers that share a store (H3): what this one is told of activations that it
/// does not have is passed on through the store; before it acts on a deadline, it asks the store
/// what others were told. Both are one question for all of a round. Not thread-safe.
final class RemoteReports {
  /// Rows that one question is about, at most.
  private static final int PAGE = 4_096;

  private final EngineState state;
  private final Timeouts limits;

  private List<RemoteReport> passing = new ArrayList<>();
  private List<Reply> waiting = new ArrayList<>();
  private List<Check> checks = new ArrayList<>();

  /// Reports that are with the store, and who waits for them.
  private record Passing(List<RemoteReport> reports, List<Reply> replies) {}

  /// A deadline that passed, of an entry in that status.
  private record Check(InFlightTask task, Status status, long deadline) {
    /// Whether nothing was heard of the entry since.
    boolean stands() {
      return task.step() == Step.STORED && task.status() == status && task.deadline == deadline;
    }
  }

  private record Checks(List<Check> checks) {}

  RemoteReports(EngineState state, Timeouts limits) {
    this.state = state;
    this.limits = limits;
  }

  /// Passes on a report of what is not in memory; it is answered when that is durable.
  void passOn(Command.Update update, Reply reply) {
    reply.await();
    passing.add(
        new RemoteReport(
            Row.NONE, update.id(), update.status(), update.maxAttempts(), update.delayOnRetry()));
    waiting.add(reply);
  }

  /// A lease, or a processing deadline, passed.
  void overdue(InFlightTask task) {
    if (state.options.shared()) {
      checks.add(new Check(task, task.status(), task.deadline));
    } else {
      limits.overdue(task);
    }
  }

  /// Asks the store all that came up in this round.
  void ask() {
    if (!passing.isEmpty()) {
      state.queriesSent(passing.size());
      state.effects.forwardReports(passing, new Passing(passing, waiting));
      passing = new ArrayList<>();
      waiting = new ArrayList<>();
    }
    if (!checks.isEmpty()) {
      for (int from = 0; from < checks.size(); from += PAGE) {
        askOf(List.copyOf(checks.subList(from, Math.min(checks.size(), from + PAGE))));
      }
      checks = new ArrayList<>();
    }
  }

  private void askOf(List<Check> page) {
    state.queriesSent(page.size());
    state.effects.readReports(
        page.stream().map(check -> check.task().key).toList(), new Checks(page));
  }

  /// What was passed on is durable.
  void passedOn(Command.ReportsForwarded answer) {
    if (!(answer.owner() instanceof Passing(List<RemoteReport> reports, List<Reply> replies))) {
      throw new IllegalStateException("Nobody asked for " + answer);
    }
    state.queriesAnswered(reports.size());
    for (int i = 0; i < reports.size(); i++) {
      Reply reply = replies.get(i);
      if (!answer.known().get(i)) {
        reply.report.reply().unknown();
        RemoteReport report = reports.get(i);
        state.effects.notice(Notice.UNKNOWN_ID, report.id(), report.status().storedName());
      }
      state.settled.addLast(reply);
    }
  }

  /// The store was asked about deadlines that passed, and what it had was followed: they count for
  /// those of which nothing was heard.
  void checked(Command.ReportsRead answer) {
    if (!(answer.owner() instanceof Checks(List<Check> asked))) {
      throw new IllegalStateException("Nobody asked for " + answer);
    }
    state.queriesAnswered(asked.size());
    for (Check check : asked) {
      if (check.stands()) {
        limits.overdue(check.task());
      }
    }
  }
}
