package io.taskbroker.simulation;

import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.WorkerSession;

/// Stream of a worker that passes everything on, for those that watch or change some of it.
abstract class ForwardingSession implements WorkerSession {
  private final WorkerSession session;

  ForwardingSession(WorkerSession session) {
    this.session = session;
  }

  @Override
  public boolean mayReceive() {
    return session.mayReceive();
  }

  @Override
  public String worker() {
    return session.worker();
  }

  @Override
  public Description description() {
    return session.description();
  }

  @Override
  public void handled() {
    session.handled();
  }

  @Override
  public void holds(int tasks) {
    session.holds(tasks);
  }

  @Override
  public void deliver(Delivery delivery) {
    session.deliver(delivery);
  }

  @Override
  public void cancel(String id, AttemptToken token, boolean requested) {
    session.cancel(id, token, requested);
  }
}
