package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Command.Pushed;
import io.taskbroker.inflight.Intake;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// An engine that keeps what it is told.
final class RecordingIntake implements Intake {
  final BlockingQueue<Pushed> told = new LinkedBlockingQueue<>();

  @Override
  public void request(Command.Request request) {
    throw new AssertionError("The push client asks for nothing");
  }

  @Override
  public void tell(Command command) {
    told.add((Pushed) command);
  }

  Pushed next() throws InterruptedException {
    Pushed pushed = told.poll(20, SECONDS);
    return assertThat(pushed).as("the end of a push").isNotNull().actual();
  }
}
