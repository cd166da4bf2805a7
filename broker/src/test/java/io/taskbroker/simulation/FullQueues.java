package io.taskbroker.simulation;

import io.taskbroker.activation.Change;
import io.taskbroker.engine.AllPorts;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.store.StoreQuery;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/// Bounded queues between engine and committer on which both block: the engine on the committer's,
/// and the committer with its completions on the engine's, which is one queue for everything (H14).
/// Some histories deadlock.
final class FullQueues {
  private static final int CHANGES = 12;
  private static final int COMMANDS = 8;

  private static final Map<SimulatedProcess, FullQueues> OF = new WeakHashMap<>();

  private final ArrayDeque<Command> queue = new ArrayDeque<>();
  private final ArrayDeque<Command> senders = new ArrayDeque<>();
  private int underWay;

  static FullQueues of(SimulatedProcess process) {
    return OF.computeIfAbsent(process, _ -> new FullQueues());
  }

  AllPorts committer(AllPorts ports) {
    return new ForwardingPorts(ports) {
      @Override
      public void submit(List<Change> changes, List<StoreQuery> queries) {
        underWay += changes.size();
        super.submit(changes, queries);
      }
    };
  }

  CommandSink mailbox(CommandSink sink) {
    return new ForwardingCommandSink(sink) {
      @Override
      public void request(Command.Request request) {
        if (queue.size() < COMMANDS) {
          queue.add(request);
          flow();
        } else {
          request.unavailable("the queue is full");
        }
      }

      @Override
      public void submit(Command command) {
        senders.add(command);
        flow();
      }

      private void flow() {
        boolean moves = true;
        while (moves) {
          moves = false;
          while (!senders.isEmpty() && queue.size() < COMMANDS) {
            Command sent = senders.remove();
            if (sent instanceof Command.Committed done) {
              underWay -= done.changes().size();
            }
            queue.add(sent);
            moves = true;
          }
          while (!queue.isEmpty() && underWay < CHANGES) {
            Command next = queue.remove();
            if (next instanceof Command.Request request) {
              super.request(request);
            } else {
              super.submit(next);
            }
            moves = true;
          }
        }
      }
    };
  }
}
