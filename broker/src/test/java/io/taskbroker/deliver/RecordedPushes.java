package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.PushEnded;
import io.taskbroker.inflight.api.CommandSink;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// Engine stub that records outcomes.
final class RecordedPushes implements CommandSink {
  final BlockingQueue<PushEnded> outcomes = new LinkedBlockingQueue<>();

  @Override
  public void request(Command.Request request) {
    throw new AssertionError("The push client makes no requests");
  }

  @Override
  public void submit(Command command) {
    outcomes.add((PushEnded) command);
  }

  PushEnded next() throws InterruptedException {
    PushEnded pushed = outcomes.poll(60, SECONDS);
    return assertThat(pushed).as("the end of a push").isNotNull().actual();
  }
}
