package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Replies to workers' requests whose answers are seen at the moment that the engine gives them.
final class ObservedReplies {
  private ObservedReplies() {}

  /// The same command; the observer gets each answer before the caller.
  static Command observe(Command command, Consumer<@Nullable Delivery> observer) {
    return switch (command) {
      case Command.Claim claim ->
          new Command.Claim(
              claim.application(), claim.namespace(), new Claimed(claim.reply(), observer));
      case Command.Report report ->
          new Command.Report(
              report.updates(), report.next(), new Reported(report.reply(), observer));
      default -> command;
    };
  }

  private record Claimed(Command.ClaimReply reply, Consumer<@Nullable Delivery> observer)
      implements Command.ClaimReply {
    @Override
    public void done(@Nullable Delivery delivery) {
      observer.accept(delivery);
      reply.done(delivery);
    }

    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }

    @Override
    public boolean isGone() {
      return reply.isGone();
    }
  }

  private record Reported(Command.ReportReply reply, Consumer<@Nullable Delivery> observer)
      implements Command.ReportReply {
    @Override
    public void unknown() {
      reply.unknown();
    }

    @Override
    public void done(@Nullable Delivery next) {
      observer.accept(next);
      reply.done(next);
    }

    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }

    @Override
    public boolean isGone() {
      return reply.isGone();
    }
  }
}
