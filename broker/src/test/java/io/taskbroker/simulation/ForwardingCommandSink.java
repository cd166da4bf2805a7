package io.taskbroker.simulation;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;

/// Command sink that delegates everything; subclasses override.
class ForwardingCommandSink implements CommandSink {
  private final CommandSink intake;

  ForwardingCommandSink(CommandSink intake) {
    this.intake = intake;
  }

  @Override
  public void request(Command.Request request) {
    intake.request(request);
  }

  @Override
  public void submit(Command command) {
    intake.submit(command);
  }
}
