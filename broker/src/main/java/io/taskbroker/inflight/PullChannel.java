package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Channel of one worker request for one task. The answer to the request is the delivery.
final class PullChannel implements DeliveryChannel {
  /// Answers the request; without a delivery if there is no task.
  interface Answer {
    void send(@Nullable Delivery delivery);
  }

  private final Answer answer;
  private final BooleanSupplier closed;

  private PullChannel(Answer answer, BooleanSupplier closed) {
    this.answer = answer;
    this.closed = closed;
  }

  /// Channel of a request for a task.
  static PullChannel of(Command.ClaimReply reply) {
    return new PullChannel(reply::done, reply::isGone);
  }

  /// Channel of a request that came with a report.
  static PullChannel of(Command.ReportReply reply) {
    return new PullChannel(reply::done, reply::isGone);
  }

  @Override
  public int credits(long now) {
    return closed.getAsBoolean() ? 0 : 1;
  }

  @Override
  public boolean accepts(InFlightTask task) {
    return true;
  }

  @Override
  public void reserve(InFlightTask task) {
    // One request, one answer: nothing to reserve.
  }

  @Override
  public void release() {
    answer.send(null);
  }

  @Override
  public void deliver(Delivery delivery) {
    answer.send(delivery);
  }

  @Override
  public boolean confirms() {
    return false;
  }

  @Override
  public boolean isClosed() {
    return closed.getAsBoolean();
  }
}
