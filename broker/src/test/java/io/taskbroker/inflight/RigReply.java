package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import org.jspecify.annotations.Nullable;

/// Caller of a report or a claim that records its answers.
final class RigReply implements Command.ReportReply, Command.ClaimReply {
  int answers;
  boolean gone;
  @Nullable Delivery delivery;
  @Nullable String unavailable;

  boolean isAnswered() {
    return answers > 0;
  }

  /// The id of the received activation; empty if there was none.
  String id() {
    return delivery == null ? "" : delivery.id();
  }

  @Override
  public void done(@Nullable Delivery received) {
    answers++;
    delivery = received;
  }

  @Override
  public void unavailable(String why) {
    unavailable = why;
  }

  @Override
  public boolean isGone() {
    return gone;
  }
}
