package io.taskbroker.simulation;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import java.util.ArrayDeque;

/// Command sink that delays records, in order, while a condition holds.
abstract class HeldRecords extends ForwardingCommandSink {
  private final ArrayDeque<Command.Ingest> waiting = new ArrayDeque<>();
  private final SimulatedProcess process;

  HeldRecords(CommandSink sink, SimulatedProcess process) {
    super(sink);
    this.process = process;
  }

  abstract boolean holds(Command.Ingest records);

  @Override
  public void submit(Command command) {
    if (command instanceof Command.Ingest records) {
      waiting.add(records);
      if (waiting.size() == 1) {
        release();
      }
    } else {
      super.submit(command);
    }
  }

  private void release() {
    while (!waiting.isEmpty() && !holds(waiting.getFirst())) {
      super.submit(waiting.removeFirst());
    }
    if (!waiting.isEmpty()) {
      process.later(50 * SimulatedWorld.MS, "held records", this::release);
    }
  }
}
