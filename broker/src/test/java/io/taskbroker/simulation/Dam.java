package io.taskbroker.simulation;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Intake;
import java.util.ArrayDeque;

/// Lets records through in their order, and not while it holds them.
abstract class Dam extends ForwardingIntake {
  private final ArrayDeque<Command.Ingest> waiting = new ArrayDeque<>();
  private final BrokerRun run;

  Dam(Intake intake, BrokerRun run) {
    super(intake);
    this.run = run;
  }

  abstract boolean holds(Command.Ingest records);

  @Override
  public void tell(Command command) {
    if (command instanceof Command.Ingest records) {
      waiting.add(records);
      if (waiting.size() == 1) {
        flow();
      }
    } else {
      super.tell(command);
    }
  }

  private void flow() {
    while (!waiting.isEmpty() && !holds(waiting.getFirst())) {
      super.tell(waiting.removeFirst());
    }
    if (!waiting.isEmpty()) {
      run.later(50 * World.MS, "dam", this::flow);
    }
  }
}
