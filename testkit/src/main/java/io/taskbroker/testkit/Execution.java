package io.taskbroker.testkit;

import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import java.util.function.Consumer;

/// One simulated execution of an activation.
final class Execution extends TimerWheel.Timer {
  final String id;
  final int number;
  final Run run;
  private final Consumer<Execution> over;

  private Execution(String id, int number, Run run, Consumer<Execution> over) {
    this.id = id;
    this.number = number;
    this.run = run;
    this.over = over;
  }

  /// Records the start and decides on the execution.
  ///
  /// @param over called when the execution time has passed
  static Execution start(
      TaskActivation activation, Behaviour behaviour, ExecutionLog log, Consumer<Execution> over) {
    int number = TaskTemplate.numberOf(activation);
    int start = log.started(number);
    return new Execution(activation.getId(), number, behaviour.run(activation, start), over);
  }

  @Override
  void fire() {
    over.accept(this);
  }

  SetTaskStatusRequest.Builder report() {
    var report = SetTaskStatusRequest.newBuilder().setId(id).setStatus(run.result().status);
    if (run.maxAttempts() != Run.NOT_GIVEN) {
      report.setMaxAttempts(run.maxAttempts());
    }
    if (run.delaySeconds() != Run.NOT_GIVEN) {
      report.setDelayOnRetry(run.delaySeconds());
    }
    return report;
  }
}
