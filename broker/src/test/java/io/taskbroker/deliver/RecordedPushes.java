package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Command.PushEnded;
import io.taskbroker.inflight.CommandSink;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// An engine that keeps what it is told.
final class RecordedPushes implements CommandSink {
  final BlockingQueue<PushEnded> told = new LinkedBlockingQueue<>();

  @Override
  public void request(Command.Request request) {
    throw new AssertionError("The push client asks for nothing");
  }

  @Override
  public void submit(Command command) {
    told.add((PushEnded) command);
  }

  PushEnded next() throws InterruptedException {
    PushEnded pushed = told.poll(20, SECONDS);
    return assertThat(pushed).as("the end of a push").isNotNull().actual();
  }
}
