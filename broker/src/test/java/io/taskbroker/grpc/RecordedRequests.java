package io.taskbroker.grpc;

import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/// Engine stub that records requests and answers as configured.
final class RecordedRequests implements CommandSink {
  final BlockingQueue<Command.Request> requests = new LinkedBlockingQueue<>();
  volatile Consumer<Command.Request> answer = request -> {};

  @Override
  public void request(Command.Request request) {
    requests.add(request);
    answer.accept(request);
  }

  @Override
  public void submit(Command command) {
    throw new AssertionError("The server submits no commands");
  }

  void answerWithNothing() {
    answer =
        request -> {
          switch (request) {
            case Command.Enqueue enqueue -> throw new AssertionError(enqueue);
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
            case Command.Enqueue enqueue -> throw new AssertionError(enqueue);
            case Command.Claim claim -> claim.reply().done(delivery);
            case Command.Report report -> report.reply().done(delivery);
          }
        };
  }
}
