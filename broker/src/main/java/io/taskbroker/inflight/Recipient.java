package io.taskbroker.inflight;

import org.jspecify.annotations.Nullable;

/// Somebody who is to be handed an activation.
sealed interface Recipient {
  void take(Effects effects, @Nullable Delivery delivery);

  /// Whether it will not get what it is handed.
  default boolean isGone() {
    return false;
  }

  /// The application's worker, called by the broker.
  enum Push implements Recipient {
    WORKER;

    @Override
    public void take(Effects effects, @Nullable Delivery delivery) {
      if (delivery != null) {
        effects.push(delivery);
      }
    }
  }

  /// A worker that asked.
  record Pull(Command.ClaimReply reply) implements Recipient {
    @Override
    public void take(Effects effects, @Nullable Delivery delivery) {
      effects.reply(reply, delivery);
    }

    @Override
    public boolean isGone() {
      return reply.isGone();
    }
  }

  /// A worker that asked with its report.
  record AfterReport(Command.ReportReply reply) implements Recipient {
    @Override
    public void take(Effects effects, @Nullable Delivery delivery) {
      effects.reply(reply, delivery);
    }

    @Override
    public boolean isGone() {
      return reply.isGone();
    }
  }
}
