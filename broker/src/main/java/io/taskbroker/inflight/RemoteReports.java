package io.taskbroker.inflight;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.StorePort;
import java.util.ArrayList;
import java.util.List;

/// Exchange of reports between the brokers that share a store (H3). A report on an unknown
/// activation is forwarded through the store; before a deadline takes effect, the store is asked
/// for reports that other brokers received. Both are batched per round. Not thread-safe.
final class RemoteReports {
  /// Maximum of rows in one query.
  private static final int PAGE = 4_096;

  private final EngineState state;
  private final Timeouts timeouts;

  private List<RemoteReport> forwarding = new ArrayList<>();
  private List<Reply> waiting = new ArrayList<>();
  private List<Check> checks = new ArrayList<>();

  /// Reports that are being written to the store, with the replies that wait for them.
  private record PendingForwards(List<RemoteReport> reports, List<Reply> replies) {}

  /// An expired deadline of a task in that status.
  private record Check(InFlightTask task, Status status, long deadline) {
    /// Whether the task has not changed since.
    boolean isCurrent() {
      return task.step() == Step.STORED && task.status() == status && task.deadline == deadline;
    }
  }

  private record Checks(List<Check> checks) {}

  RemoteReports(EngineState state, Timeouts timeouts) {
    this.state = state;
    this.timeouts = timeouts;
  }

  /// Forwards a report on an activation that is not in memory; the reply is due when the forward is
  /// durable.
  void forward(Command.Update update, Reply reply) {
    reply.await();
    forwarding.add(
        new RemoteReport(
            Row.NONE, update.id(), update.status(), update.maxAttempts(), update.delayOnRetry()));
    waiting.add(reply);
  }

  /// Handles an expired lease or processing deadline.
  void overdue(InFlightTask task) {
    if (state.options.shared()) {
      checks.add(new Check(task, task.status(), task.deadline));
    } else {
      timeouts.overdue(task);
    }
  }

  /// Sends the queries of this round.
  void sendQueries() {
    if (!forwarding.isEmpty()) {
      state.queriesSent(forwarding.size());
      state.store.forwardReports(forwarding, new PendingForwards(forwarding, waiting));
      forwarding = new ArrayList<>();
      waiting = new ArrayList<>();
    }
    if (!checks.isEmpty()) {
      for (int from = 0; from < checks.size(); from += PAGE) {
        sendQuery(List.copyOf(checks.subList(from, Math.min(checks.size(), from + PAGE))));
      }
      checks = new ArrayList<>();
    }
  }

  private void sendQuery(List<Check> page) {
    state.queriesSent(page.size());
    state.store.readReports(
        page.stream().map(check -> check.task().key).toList(), new Checks(page));
  }

  /// Handles the answer to [StorePort#forwardReports]: the reports are durable.
  void forwarded(Command.ReportsForwarded answer) {
    if (!(answer.owner()
        instanceof PendingForwards(List<RemoteReport> reports, List<Reply> replies))) {
      throw new IllegalStateException("Answer without a query: " + answer);
    }
    state.queriesAnswered(reports.size());
    for (int i = 0; i < reports.size(); i++) {
      Reply reply = replies.get(i);
      if (!answer.known().get(i)) {
        reply.report.reply().unknown();
        RemoteReport report = reports.get(i);
        state.event(EngineEvent.UNKNOWN_ID, report.id(), report.status().storedName());
      }
      state.settled.addLast(reply);
    }
  }

  /// Applies the expired deadlines of the tasks that no other broker has a report on. The reports
  /// of the answer were handled before.
  void checked(Command.ReportsRead answer) {
    if (!(answer.owner() instanceof Checks(List<Check> asked))) {
      throw new IllegalStateException("Answer without a query: " + answer);
    }
    state.queriesAnswered(asked.size());
    for (Check check : asked) {
      if (check.isCurrent()) {
        timeouts.overdue(check.task());
      }
    }
  }
}
