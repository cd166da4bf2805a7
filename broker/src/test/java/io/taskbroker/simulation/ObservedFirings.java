package io.taskbroker.simulation;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import java.util.List;

/// Tasks that the schedules of a process enqueue, as the ledger sees them, and the answers of the
/// engine.
final class ObservedFirings extends ForwardingCommandSink {
  private final SimulatedProcess process;
  private final Ledger ledger;

  ObservedFirings(SimulatedProcess process, CommandSink sink) {
    super(sink);
    this.process = process;
    this.ledger = process.broker.ledger;
  }

  @Override
  public void request(Command.Request request) {
    if (!(request instanceof Command.Enqueue enqueue)) {
      super.request(request);
      return;
    }
    long since = ledger.world.now();
    enqueue.activations().forEach(task -> ledger.schedules.enqueued(process, task));
    Command.EnqueueReply reply = enqueue.reply();
    super.request(
        new Command.Enqueue(
            enqueue.activations(),
            enqueue.steps(),
            new Command.EnqueueReply() {
              @Override
              public void done(List<EnqueueOutcome> outcomes) {
                ledger.enqueues.answered(process, enqueue.activations(), outcomes, since);
                ledger.schedules.answered(process, enqueue.activations(), outcomes);
                reply.done(outcomes);
              }

              @Override
              public void unavailable(String why) {
                reply.unavailable(why);
              }
            }));
  }
}
