package io.taskbroker.simulation;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.inflight.api.WorkerSession;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Commands of the services of the direct protocol, as the ledger sees them: on their arrival, and
/// when the engine answers.
final class ObservedCommands extends ForwardingCommandSink {
  private final SimulatedProcess process;
  private final SimulatedServer server;
  private final Ledger ledger;
  private final IdentityHashMap<WorkerSession, ObservedSession> sessions = new IdentityHashMap<>();

  ObservedCommands(SimulatedProcess process, SimulatedServer server, CommandSink sink) {
    super(sink);
    this.process = process;
    this.server = server;
    this.ledger = process.broker.ledger;
  }

  @Override
  public void request(Command.Request request) {
    switch (request) {
      case Command.Enqueue enqueue -> enqueue(enqueue);
      case Command.Ask(TaskQuery.Cancel cancel) -> cancel(cancel);
      case Command.Results results -> results(results);
      default -> super.request(request);
    }
  }

  @Override
  public void submit(Command command) {
    switch (command) {
      case Command.WorkerOpened opened -> super.submit(observed(opened));
      case Command.WorkerSlots slots ->
          super.submit(new Command.WorkerSlots(session(slots.session()), slots.slots()));
      case Command.WorkerHeartbeat heartbeat -> {
        ObservedSession session = session(heartbeat.session());
        ledger.streams.named(session, heartbeat.tasks());
        super.submit(new Command.WorkerHeartbeat(session, heartbeat.tasks()));
      }
      case Command.WorkerClosed closed -> {
        ObservedSession session = session(closed.session());
        ledger.streams.closed(session, closed.silent());
        super.submit(new Command.WorkerClosed(session, closed.silent()));
      }
      default -> super.submit(command);
    }
  }

  private Command.WorkerOpened observed(Command.WorkerOpened opened) {
    var session =
        new ObservedSession(process, Objects.requireNonNull(server.current()), opened.session());
    sessions.put(opened.session(), session);
    ledger.streams.opened(session);
    return new Command.WorkerOpened(
        session, opened.application(), opened.namespaces(), opened.slots());
  }

  private ObservedSession session(WorkerSession session) {
    return Objects.requireNonNull(sessions.get(session));
  }

  private void results(Command.Results results) {
    ObservedSession session = session(results.session());
    StreamLedger.Arrived arrived = ledger.streams.arrived(session, results.results());
    Command.ResultsReply reply = results.reply();
    super.request(
        new Command.Results(
            session,
            results.results(),
            new Command.ResultsReply() {
              @Override
              public void done(List<ResultStatus> statuses) {
                ledger.streams.answered(arrived, statuses);
                reply.done(statuses);
              }

              @Override
              public void unavailable(String why) {
                reply.unavailable(why);
              }
            }));
  }

  private void enqueue(Command.Enqueue enqueue) {
    long since = ledger.world.now();
    ledger.enqueues.arrived(process, enqueue.activations());
    Command.EnqueueReply reply = enqueue.reply();
    super.request(
        new Command.Enqueue(
            enqueue.activations(),
            new Command.EnqueueReply() {
              @Override
              public void done(List<EnqueueOutcome> outcomes) {
                ledger.enqueues.answered(process, enqueue.activations(), outcomes, since);
                reply.done(outcomes);
              }

              @Override
              public void unavailable(String why) {
                reply.unavailable(why);
              }
            }));
  }

  private void cancel(TaskQuery.Cancel cancel) {
    EnqueueLedger.Cancel wanted = ledger.enqueues.cancelWanted(process, cancel.id());
    TaskQuery.Reply reply = cancel.reply();
    super.request(
        new Command.Ask(
            new TaskQuery.Cancel(
                cancel.id(),
                new TaskQuery.Reply() {
                  @Override
                  public void done(TaskQuery.@Nullable View view) {
                    ledger.enqueues.cancelAnswered(wanted, view);
                    reply.done(view);
                  }

                  @Override
                  public void unavailable(String why) {
                    reply.unavailable(why);
                  }
                })));
  }
}
