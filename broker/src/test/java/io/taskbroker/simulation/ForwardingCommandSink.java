package io.taskbroker.simulation;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;

/// Command sink that delegates everything; subclasses override.
class ForwardingCommandSink implements CommandSink {
  private final CommandSink sink;

  ForwardingCommandSink(CommandSink sink) {
    this.sink = sink;
  }

  @Override
  public void request(Command.Request request) {
    sink.request(request);
  }

  @Override
  public void submit(Command command) {
    sink.submit(command);
  }
}
