package io.taskbroker.simulation;

import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.WorkerSession;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Interceptor of what workers send on their streams and of what they are sent, for planted bugs.
class SessionTap extends ForwardingCommandSink {
  private final IdentityHashMap<WorkerSession, Session> sessions = new IdentityHashMap<>();

  SessionTap(CommandSink sink) {
    super(sink);
  }

  @Override
  public final void request(Command.Request request) {
    switch (request) {
      case Command.Results results ->
          results(
              new Command.Results(session(results.session()), results.results(), results.reply()));
      case Command.Enqueue enqueue -> enqueue(enqueue);
      default -> super.request(request);
    }
  }

  @Override
  public final void submit(Command command) {
    switch (command) {
      case Command.WorkerOpened opened -> {
        var session = new Session(opened.session());
        sessions.put(opened.session(), session);
        opened(
            new Command.WorkerOpened(
                session, opened.application(), opened.namespaces(), opened.slots()));
      }
      case Command.WorkerSlots slots ->
          slots(new Command.WorkerSlots(session(slots.session()), slots.slots()));
      case Command.WorkerHeartbeat heartbeat ->
          heartbeat(new Command.WorkerHeartbeat(session(heartbeat.session()), heartbeat.tasks()));
      case Command.WorkerClosed closed ->
          closed(new Command.WorkerClosed(session(closed.session()), closed.silent()));
      default -> super.submit(command);
    }
  }

  private WorkerSession session(WorkerSession of) {
    Session known = sessions.get(of);
    return known == null ? of : known;
  }

  void opened(Command.WorkerOpened opened) {
    super.submit(opened);
  }

  void results(Command.Results results) {
    super.request(results);
  }

  void enqueue(Command.Enqueue enqueue) {
    super.request(enqueue);
  }

  void slots(Command.WorkerSlots slots) {
    super.submit(slots);
  }

  void heartbeat(Command.WorkerHeartbeat heartbeat) {
    super.submit(heartbeat);
  }

  void closed(Command.WorkerClosed closed) {
    super.submit(closed);
  }

  /// Passes a cancellation on.
  boolean cancels(boolean requested) {
    return true;
  }

  /// The token of the last delivery of that task; the given one if it has none.
  static AttemptToken current(SimulatedProcess process, String id, AttemptToken otherwise) {
    List<BrokerHistory.Line> lines = process.broker.ledger.history(process).of(id);
    @Nullable AttemptToken last = lines.isEmpty() ? null : lines.getLast().lastToken;
    return last == null ? otherwise : last;
  }

  /// Whether this process delivered the task last.
  static boolean delivers(SimulatedProcess process, String id) {
    List<BrokerHistory.Line> lines = process.broker.ledger.history(process).of(id);
    return !lines.isEmpty() && lines.getLast().deliveredBy == process;
  }

  private final class Session extends ForwardingSession {
    Session(WorkerSession session) {
      super(session);
    }

    @Override
    public void cancel(String id, AttemptToken token, boolean requested) {
      if (cancels(requested)) {
        super.cancel(id, token, requested);
      }
    }
  }
}
