package io.taskbroker.simulation;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Intake;

/// An intake that hands on what it is told, unless it is told otherwise.
class ForwardingIntake implements Intake {
  private final Intake intake;

  ForwardingIntake(Intake intake) {
    this.intake = intake;
  }

  @Override
  public void request(Command.Request request) {
    intake.request(request);
  }

  @Override
  public void tell(Command command) {
    intake.tell(command);
  }
}
