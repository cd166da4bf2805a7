package io.taskbroker.inflight;

import org.jspecify.annotations.Nullable;

/// The caller of a report or a claim: remembers what it was answered.
final class RigReply implements Command.ReportReply, Command.ClaimReply {
  int answers;
  boolean gone;
  @Nullable Delivery delivery;
  @Nullable String unavailable;

  boolean isAnswered() {
    return answers > 0;
  }

  /// The id of the activation that it got; empty if it got none.
  String id() {
    return delivery == null ? "" : delivery.id();
  }

  @Override
  public void done(@Nullable Delivery given) {
    answers++;
    delivery = given;
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
