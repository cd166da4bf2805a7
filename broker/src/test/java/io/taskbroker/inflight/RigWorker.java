package io.taskbroker.inflight;

import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Outcome;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.inflight.api.WorkerSession;
import java.util.ArrayList;
import java.util.List;

/// Worker of a test that opened a stream to an [EngineRig].
final class RigWorker implements WorkerSession {
  private final EngineRig rig;

  /// Deliveries, in order.
  final List<Delivery> received = new ArrayList<>();

  /// Ids of the attempts that it was asked to stop.
  final List<String> cancelled = new ArrayList<>();

  /// The tasks that it has, as the engine says.
  int held;

  /// Set if the worker reads its stream.
  boolean reads = true;

  RigWorker(EngineRig rig) {
    this.rig = rig;
  }

  /// A worker of the application "app".
  static RigWorker open(EngineRig rig, int slots, String... namespaces) {
    var worker = new RigWorker(rig);
    rig.tell(new Command.WorkerOpened(worker, "app", List.of(namespaces), slots));
    rig.settle();
    return worker;
  }

  List<String> ids() {
    return received.stream().map(Delivery::id).toList();
  }

  Delivery last() {
    return received.getLast();
  }

  void slots(int slots) {
    rig.tell(new Command.WorkerSlots(this, slots));
    rig.settle();
  }

  void close(boolean silent) {
    rig.tell(new Command.WorkerClosed(this, silent));
    rig.settle();
  }

  void heartbeat(Delivery... deliveries) {
    rig.tell(
        new Command.WorkerHeartbeat(
            this,
            List.of(deliveries).stream()
                .map(each -> new Command.TaskHeartbeat(each.id(), each.token()))
                .toList()));
    rig.settle();
  }

  void progress(String text, Delivery delivery) {
    rig.tell(
        new Command.WorkerHeartbeat(
            this, List.of(new Command.TaskHeartbeat(delivery.id(), delivery.token(), text))));
    rig.settle();
  }

  @Override
  public String worker() {
    return "rig";
  }

  @Override
  public Description description() {
    return new Description("rig", "rig/1", "here", 1, 2);
  }

  Answer complete(Delivery... deliveries) {
    return result(new Outcome.Completed(), deliveries);
  }

  Answer fail(Delivery delivery) {
    return result(new Outcome.Failed("as the test says", false, -1, -1), delivery);
  }

  Answer result(Outcome outcome, Delivery... deliveries) {
    var answer = new Answer();
    rig.tell(
        new Command.Results(
            this,
            List.of(deliveries).stream()
                .map(each -> new Command.Result(each.id(), each.token(), outcome))
                .toList(),
            answer));
    rig.settle();
    return answer;
  }

  @Override
  public boolean mayReceive() {
    return reads;
  }

  @Override
  public void handled() {}

  @Override
  public void holds(int tasks) {
    held = tasks;
  }

  @Override
  public void deliver(Delivery delivery) {
    received.add(delivery);
  }

  @Override
  public void cancel(String id, AttemptToken token, boolean requested) {
    cancelled.add(id);
  }

  /// Answer to results.
  static final class Answer implements Command.ResultsReply {
    /// Empty until everything is durable.
    List<ResultStatus> statuses = List.of();

    @Override
    public void done(List<ResultStatus> all) {
      statuses = List.copyOf(all);
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError("The engine answers: " + why);
    }
  }
}
