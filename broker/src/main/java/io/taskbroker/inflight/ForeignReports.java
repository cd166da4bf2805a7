package io.taskbroker.inflight;

import io.taskbroker.activation.Reported;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.ArrayList;
import java.util.List;

/// Reports and the brokers that share a store (H3): what this one is told of activations that it
/// does not have is passed on through the store; before it acts on a deadline, it asks the store
/// what others were told. Both are one question for all of a round. Not thread-safe.
final class ForeignReports {
  /// Rows that one question is about, at most.
  private static final int PAGE = 4_096;

  private final Flight flight;
  private final TimeLimits limits;

  private List<Reported> passing = new ArrayList<>();
  private List<Reply> waiting = new ArrayList<>();
  private List<Check> checks = new ArrayList<>();

  /// Reports that are with the store, and who waits for them.
  private record Passing(List<Reported> reports, List<Reply> replies) {}

  /// A deadline that passed, of an entry in that status.
  private record Check(Entry entry, Status status, long deadline) {
    /// Whether nothing was heard of the entry since.
    boolean stands() {
      return entry.step == Entry.Step.STORED
          && entry.status == status
          && entry.deadline == deadline;
    }
  }

  private record Checks(List<Check> checks) {}

  ForeignReports(Flight flight, TimeLimits limits) {
    this.flight = flight;
    this.limits = limits;
  }

  /// Passes on a report of what is not in memory; it is answered when that is durable.
  void passOn(Command.Update update, Reply reply) {
    reply.await();
    passing.add(
        new Reported(
            Row.NONE, update.id(), update.status(), update.maxAttempts(), update.delayOnRetry()));
    waiting.add(reply);
  }

  /// A lease, or a processing deadline, passed.
  void overdue(Entry entry) {
    if (flight.options.shared()) {
      checks.add(new Check(entry, entry.status, entry.deadline));
    } else {
      limits.overdue(entry);
    }
  }

  /// Asks the store all that came up in this round.
  void ask() {
    if (!passing.isEmpty()) {
      flight.asked(passing.size());
      flight.effects.passOn(passing, new Passing(passing, waiting));
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
    flight.asked(page.size());
    flight.effects.readReports(
        page.stream().map(check -> check.entry().key).toList(), new Checks(page));
  }

  /// What was passed on is durable.
  void passedOn(Command.PassedOn answer) {
    if (!(answer.owner() instanceof Passing(List<Reported> reports, List<Reply> replies))) {
      throw new IllegalStateException("Nobody asked for " + answer);
    }
    flight.answered(reports.size());
    for (int i = 0; i < reports.size(); i++) {
      Reply reply = replies.get(i);
      if (!answer.known().get(i)) {
        reply.report.reply().unknown();
        Reported report = reports.get(i);
        flight.effects.notice(Notice.UNKNOWN_ID, report.id(), report.status().storedName());
      }
      flight.settled.addLast(reply);
    }
  }

  /// The store was asked about deadlines that passed, and what it had was followed: they count for
  /// those of which nothing was heard.
  void checked(Command.ReportsRead answer) {
    if (!(answer.owner() instanceof Checks(List<Check> asked))) {
      throw new IllegalStateException("Nobody asked for " + answer);
    }
    flight.answered(asked.size());
    for (Check check : asked) {
      if (check.stands()) {
        limits.overdue(check.entry());
      }
    }
  }
}
