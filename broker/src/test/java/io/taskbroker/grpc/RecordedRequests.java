package io.taskbroker.grpc;

import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Engine stub that records requests and answers as configured.
final class RecordedRequests implements CommandSink {
  final BlockingQueue<Command.Request> requests = new LinkedBlockingQueue<>();
  private final BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
  volatile Consumer<Command.Request> answer = request -> {};
  volatile Consumer<Command> onSubmit = command -> {};

  /// Whether commands of workers are handled at once.
  volatile boolean handles = true;

  @Override
  public void request(Command.Request request) {
    requests.add(request);
    answer.accept(request);
  }

  @Override
  public void submit(Command command) {
    commands.add(command);
    onSubmit.accept(command);
    if (!handles) {
      return;
    }
    switch (command) {
      case Command.WorkerOpened opened -> opened.session().handled();
      case Command.WorkerSlots slots -> slots.session().handled();
      case Command.WorkerHeartbeat heartbeat -> heartbeat.session().handled();
      default -> {}
    }
  }

  /// Number of commands that are no requests.
  int commands() {
    return commands.size();
  }

  /// The same of one kind.
  long commands(Class<? extends Command> kind) {
    return commands.stream().filter(kind::isInstance).count();
  }

  /// The next command that is no request; waits for it.
  Command nextCommand() {
    try {
      Command next = commands.poll(60, TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("No command came");
      }
      return next;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /// The next request; waits for it.
  Command.Request next() {
    try {
      Command.Request next = requests.poll(60, TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("No request came");
      }
      return next;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  void answerWithNothing() {
    answer =
        request -> {
          switch (request) {
            case Command.Enqueue _, Command.Results _, Command.Ask _ ->
                throw new AssertionError(request);
            case Command.Claim claim -> claim.reply().done(null);
            case Command.Report report -> report.reply().done(null);
          }
        };
  }

  void answerWith(byte[] activation) {
    Delivery delivery = Deliveries.of("id", "app", activation);
    answer =
        request -> {
          switch (request) {
            case Command.Enqueue _, Command.Results _, Command.Ask _ ->
                throw new AssertionError(request);
            case Command.Claim claim -> claim.reply().done(delivery);
            case Command.Report report -> report.reply().done(delivery);
          }
        };
  }
}
