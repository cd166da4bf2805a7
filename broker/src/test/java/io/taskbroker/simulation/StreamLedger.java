package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Carried;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Outcome;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.ResultStatus;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Part of the ledger about workers that open streams: credits, results and their tokens, leases,
/// and cancellations (G2, G3, G6, G7, G8).
final class StreamLedger {
  private static final long LEASE = 3 * SimulatedWorld.SECOND;
  private static final long RECONNECT = 2 * SimulatedWorld.SECOND;

  /// For how long the tasks of streams of before a start wait for their workers.
  private static final long COME_BACK = 5 * SimulatedWorld.SECOND;

  /// What threads and queues of a broker may take.
  private static final long SLACK = 2 * SimulatedWorld.SECOND;

  private final Ledger ledger;

  /// Results that were accepted, by row and token.
  private final Set<List<Object>> counted = new HashSet<>();

  /// A failure that a worker reported, and by which delays another attempt may follow,
  /// milliseconds.
  ///
  /// @param wall reading of the broker's clock when it arrived
  record Failure(long wall, long least, long most) {}

  /// A result that reached a process.
  ///
  /// @param line the row that it is about; null if there is none
  /// @param last whether its token is that of the last delivery, by this process
  /// @param stale whether this process has delivered the task again since
  /// @param since when it arrived
  private record Result(
      Command.Result result,
      BrokerHistory.@Nullable Line line,
      int attempts,
      boolean last,
      boolean stale,
      long since) {}

  /// Results that reached a process in one message.
  record Arrived(ObservedSession session, List<Result> results) {}

  StreamLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  /// A stream was opened.
  void opened(ObservedSession session) {
    ledger.world.count("streams opened");
    ledger.world.trace(() -> session.process + " has another stream");
    session.process.later(SimulatedWorld.SECOND, "lease of a worker", () -> checkLease(session));
  }

  /// A task is delivered on a stream at this moment.
  void delivered(ObservedSession session, Delivery delivery) {
    SimulatedProcess process = session.process;
    BrokerHistory.Line known = ledger.history(process).lines.get(Carried.keyOf(delivery));
    boolean onlyStreams = known == null || known.onlyStreams;
    ledger.workers.delivered(process, delivery, true);
    BrokerHistory.Line line = ledger.history(process).lines.get(Carried.keyOf(delivery));
    if (line != null) {
      ledger.world.count("deliveries on streams");
      ledger.deaths.taken(process, delivery.application());
      line.onlyStreams = onlyStreams;
      line.session = session;
      session.hold(delivery.token(), line);
    }
  }

  /// A worker has received tasks.
  ///
  /// @param held tasks that it has now
  /// @param slots its slots as it announced them last, or a moment ago
  void received(String worker, int held, int slots) {
    check(
        held <= slots,
        "G7",
        () -> worker + " has " + held + " tasks, and only " + slots + " slots");
  }

  /// A worker names attempts that it still runs.
  void named(ObservedSession session, List<Command.TaskHeartbeat> tasks) {
    SimulatedProcess process = session.process;
    for (Command.TaskHeartbeat each : tasks) {
      BrokerHistory.Line line = find(process, each.id(), each.token());
      if (line != null && line.awaitedIn == process) {
        cameBack(process, line, each.token());
      }
      boolean last = line != null && has(process, line, each.token());
      if (line != null
          && line.foundIn == process
          && (each.token().equals(line.lastToken) || line.deliveredBy != process)) {
        line.foundIn = null; // its deadline counts from now on: tokens are not stored
      }
      if (line != null && last && line.heldIn == process) {
        ObservedSession before = line.session;
        if (before != null && before != session) {
          before.held.remove(each.token());
          ledger.world.count("attempts that came back");
        }
        line.session = session;
        session.hold(each.token(), line);
        long until = line.heldSince() + line.spec.deadline() * SimulatedWorld.MS;
        if (until - ledger.world.now() > SLACK / 4) {
          line.extendedAt = ledger.world.now();
        }
        if (line.cancelledIn == process) {
          mustHear(process, line);
        }
      } else if (line != null && line.deliveredBy == process && !last && !line.forgotten) {
        ledger.world.count("superseded attempts named");
        soon(
            session,
            () ->
                check(
                    session.closed
                        || session.superseded.contains(each.token())
                        || session.cancelled.contains(each.token()),
                    "G6",
                    () -> process + " lets a superseded attempt of " + each.id() + " run on"));
      }
    }
  }

  /// The worker that has a cancelled task must be told, if it has a stream.
  void mustHear(SimulatedProcess process, BrokerHistory.Line line) {
    ObservedSession session = line.session;
    AttemptToken token = line.lastToken;
    if (session == null || session.closed || token == null || line.heldIn != process) {
      return;
    }
    soon(
        session,
        () ->
            check(
                session.closed
                    || !session.held.containsKey(token)
                    || line.end != null
                    || line.session != session
                    || line.heldIn != process
                    || session.cancelled.contains(token),
                "G6",
                () -> process + " does not tell a worker to stop " + line.spec.id()));
  }

  /// Checks something when the process has run for some time.
  private void soon(ObservedSession session, Runnable check) {
    session.process.calmly(SLACK, "a moment passed", check);
  }

  /// A process finds a row at its start, or at that of its partition.
  void found(SimulatedProcess process, BrokerHistory.Line line, Row row) {
    boolean awaited =
        row.status() == Status.PROCESSING
            && row.forwardTo() == null
            && line.onlyStreams
            && line.deliveries > 0;
    line.awaitedIn = awaited ? process : null;
    line.awaitedSince = ledger.world.now();
    if (awaited && !ledger.plan.shared()) {
      process.calmly(
          COME_BACK + 2 * SLACK,
          "no worker came back",
          () ->
              check(
                  line.awaitedIn != process || !line.isWaitingFor(process),
                  "G8",
                  () -> process + " still waits for the worker of " + line.spec.id()));
    }
  }

  /// The process takes the worker of a task for gone.
  void givenUp(SimulatedProcess process, BrokerHistory.Line line) {
    checkAwaited(process, line);
    line.awaitedIn = line.awaitedIn == process ? null : line.awaitedIn;
  }

  /// The process is about to deliver a task again.
  void redelivered(SimulatedProcess process, BrokerHistory.Line line) {
    checkAwaited(process, line);
  }

  /// Workers of before a start must have had time to come back.
  private void checkAwaited(SimulatedProcess process, BrokerHistory.Line line) {
    check(
        line.awaitedIn != process
            || !line.isWaiting()
            || ledger.world.now() - line.awaitedSince >= COME_BACK - 10 * SimulatedWorld.MS,
        "G5",
        () -> process + " does not wait for the worker of " + line.spec.id());
  }

  /// A worker names a task for the first time since the process found it at its start.
  private void cameBack(SimulatedProcess process, BrokerHistory.Line line, AttemptToken token) {
    long now = ledger.world.now();
    boolean inTime = now - line.awaitedSince < COME_BACK - SLACK && !ledger.plan.has(Fault.FREEZE);
    line.awaitedIn = null;
    if (inTime && token.equals(line.lastToken)) {
      ledger.world.count("attempts kept over a restart");
      line.heldIn = process;
      line.extendedAt = now;
    }
  }

  /// The broker tells a worker to stop an attempt.
  void cancelled(ObservedSession session, String id, AttemptToken token, boolean requested) {
    ledger.world.trace(() ->
        session.process
            + " cancels "
            + id
            + (requested ? " as a client wants" : ", which is superseded"));
    if (requested) {
      ledger.world.count("cancellations sent");
      session.cancelled.add(token);
      return;
    }
    session.superseded.add(token);
    session.held.remove(token);
    BrokerHistory.Line line = find(session.process, id, token);
    if (line != null && has(session.process, line, token)) {
      line.heldIn = null;
    }
  }

  /// Results reached the process.
  Arrived arrived(ObservedSession session, List<Command.Result> results) {
    SimulatedProcess process = session.process;
    BrokerHistory history = ledger.history(process);
    List<Result> arrived = new ArrayList<>();
    for (Command.Result each : results) {
      BrokerHistory.Line line = find(process, each.id(), each.token());
      boolean last = line != null && isLast(process, line, each.token());
      boolean stale = line != null && line.deliveredBy == process && !last && !line.forgotten;
      int attempts = line == null ? 0 : line.spec.attempts();
      boolean again =
          line != null && line.reportedIn == process && each.token().equals(line.reported);
      if (line != null) {
        line.awaitedIn = null;
        line.reported = each.token();
        line.reportedIn = process;
      }
      arrived.add(
          new Result(
              each,
              line,
              attempts,
              line != null && last && !again && line.isWaiting(),
              stale,
              ledger.world.now()));
      ledger.world.trace(() ->
          process
              + " receives "
              + each.outcome()
              + " of "
              + each.id()
              + ", token "
              + each.token().number()
              + (stale ? ", which is stale" : ""));
      session.held.remove(each.token());
      if (line != null) {
        ObservedSession before = line.session;
        if (before != null && last) {
          before.held.remove(each.token());
        }
        if (!stale) {
          report(process, history, line, each.outcome(), each.token().equals(line.lastToken));
        }
      }
    }
    return new Arrived(session, arrived);
  }

  private void report(
      SimulatedProcess process,
      BrokerHistory history,
      BrokerHistory.Line line,
      Outcome outcome,
      boolean last) {
    String id = line.spec.id();
    switch (outcome) {
      case Outcome.Completed _ -> history.report(id, Status.COMPLETE);
      case Outcome.Failed failed -> {
        int next = line.spec.attempts() + 1;
        long max = failed.maxAttempts() >= 0 ? failed.maxAttempts() : line.spec.maxAttempts();
        boolean again = !failed.last() && next < max && line.cancelledIn != process;
        history.report(id, again ? Status.RETRY : Status.FAILURE);
        if (again && line.home != null) {
          long[] delays =
              failed.retryAfter() >= 0
                  ? new long[] {failed.retryAfter(), failed.retryAfter()}
                  : EnqueueLedger.delays(line.spec.bytes(), next);
          line.failures.add(new Failure(process.broker.wall(), delays[0], delays[1]));
        }
      }
      case Outcome.Released _ -> {
        if (last) {
          ledger.world.count("tasks released");
          line.heldIn = null;
          ledger.workers.sends.remove(line.reading);
        }
      }
    }
  }

  /// The engine answers results.
  void answered(Arrived arrived, List<ResultStatus> statuses) {
    SimulatedProcess process = arrived.session.process;
    for (int i = 0; i < statuses.size(); i++) {
      Result result = arrived.results.get(i);
      ResultStatus status = statuses.get(i);
      BrokerHistory.Line line = result.line;
      String id = result.result.id();
      ledger.world.count("results answered " + status);
      ledger.world.trace(
          () -> process + " answers " + status + " to " + result.result.outcome() + " of " + id);
      if (line == null) {
        check(
            status != ResultStatus.ACCEPTED || ledger.plan.shared(),
            "G6",
            () -> process + " accepts a result of a task that it never had: " + id);
      } else if (status == ResultStatus.ACCEPTED) {
        accepted(process, result, line);
      } else {
        check(
            !result.last
                || result.result.outcome() instanceof Outcome.Released
                || !line.isWaiting()
                || line.spec.attempts() != result.attempts
                || !isLast(process, line, result.result.token())
                || (ledger.plan.shared() && line.home == null), // its partition moves
            "G2",
            () -> process + " refuses the result of the last attempt of " + id);
      }
    }
  }

  private void accepted(SimulatedProcess process, Result result, BrokerHistory.Line line) {
    String id = line.spec.id();
    List<Object> key = List.of(line, result.result.token());
    check(
        !result.stale || counted.contains(key),
        "G6",
        () -> process + " accepts a stale result of " + id);
    counted.add(key);
    Row row = process.broker.disk.rows().get(line.key);
    boolean durable =
        row == null
            || row.forwardTo() != null
            || !ledger.history(process).isLast(line)
            || switch (result.result.outcome()) {
              case Outcome.Completed _ -> false;
              case Outcome.Failed _ -> line.spec.attempts() > result.attempts;
              case Outcome.Released _ -> true;
            };
    check(
        durable
            || !process.owns(line.spec.origin())
            || ledger.workers.wasAnother(ledger.history(process), line, result.since),
        "G2",
        () -> process + " acknowledges a result of " + id + ", and its row is unchanged");
  }

  /// The stream ended, as the broker knows.
  void closed(ObservedSession session, boolean silent) {
    session.closed = true;
    ledger.world.count(silent ? "silent workers" : "streams ended");
    ledger.world.trace(
        () -> session.process + " has lost a stream" + (silent ? " of a silent worker" : ""));
    session.process.calmly(
        (silent ? 0 : RECONNECT) + SLACK, "worker lost", () -> checkLost(session));
  }

  /// What a worker had whose stream ended must run elsewhere.
  private void checkLost(ObservedSession session) {
    SimulatedProcess process = session.process;
    session.held.forEach((token, line) ->
        check(
            !line.isWaitingFor(process)
                || line.session != session
                || line.heldIn != process
                || !isLast(process, line, token)
                || !isPrompt(process),
            "G8",
            () -> process + " waits for a worker that is gone, with " + line.spec.id()));
  }

  /// A worker that has tasks and is silent must be given up.
  private void checkLease(ObservedSession session) {
    if (session.closed) {
      return;
    }
    SimulatedProcess process = session.process;
    long since = Math.max(Math.max(session.link.heardAt(), session.heldSince), process.thawedAt());
    boolean holds =
        session.held.entrySet().stream()
            .anyMatch(each ->
                each.getValue().isWaitingFor(process)
                    && each.getValue().heldIn == process
                    && isLast(process, each.getValue(), each.getKey()));
    check(
        !holds || ledger.world.now() - since < LEASE + SLACK,
        "G8",
        () -> process + " keeps the stream of a silent worker");
    process.later(SimulatedWorld.SECOND, "lease of a worker", () -> checkLease(session));
  }

  /// Whether its store answers at once: a broker of a shared one asks it before a task is lost.
  private boolean isPrompt(SimulatedProcess process) {
    SeedPlan plan = ledger.plan;
    return process.isAlive()
        && (!plan.shared()
            || (!plan.has(Fault.STORE_FAILS)
                && !plan.has(Fault.STORE_STALLS)
                && !plan.has(Fault.STORE_LOSES_REPLY)
                && !plan.has(Fault.STORE_GHOST)));
  }

  /// The row with that token, or the last of its id; null if there is none.
  private BrokerHistory.@Nullable Line find(
      SimulatedProcess process, String id, AttemptToken token) {
    BrokerHistory.Line found = null;
    for (BrokerHistory.Line line : ledger.history(process).of(id)) {
      if (line.home == null || line.home == process.broker) {
        if (token.equals(line.lastToken)) {
          return line;
        }
        found = line;
      }
    }
    return found;
  }

  private static boolean isLast(
      SimulatedProcess process, BrokerHistory.Line line, AttemptToken token) {
    return line.deliveredBy == process && token.equals(line.lastToken);
  }

  /// Whether the token is that of the last delivery. This process made that delivery, or an earlier
  /// process did and a worker has named it since.
  private static boolean has(
      SimulatedProcess process, BrokerHistory.Line line, AttemptToken token) {
    return token.equals(line.lastToken) && (line.deliveredBy == process || line.heldIn == process);
  }
}
