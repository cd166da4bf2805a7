package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.SourcePartition;
import org.jspecify.annotations.Nullable;

/// What the engine wants done. Called by the engine's thread; nothing of it blocks, and nothing
/// calls the engine back before the engine returned.
public interface Effects {
  /// Make it durable; answered by [Command.Committed] or [Command.Rejected].
  void write(Change change);

  /// Read parked rows; answered by [Command.ParkedRead] when all changes written before are
  /// durable.
  void readParked(String application, long afterDue, long afterKey, long upTo, int limit);

  /// Call the worker of the delivery's application now; answered by [Command.Pushed].
  void push(Delivery delivery);

  /// Produce it, as often as it takes; answered by [Command.Produced] or [Command.Refused].
  void produce(Departure departure);

  /// Everything of the partition below `nextOffset` is durable: the offset may be committed.
  ///
  /// @param records how many of the records given by [Command.Ingest] this settles
  /// @param bytes their size
  /// @param urgent whether somebody waits for the commit
  void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent);

  /// Nothing of the revoked partition is under way any more.
  void drained(SourcePartition partition);

  void reply(Command.ReportReply reply, @Nullable Delivery next);

  void reply(Command.ClaimReply reply, @Nullable Delivery delivery);

  void reply(Command.EnqueueReply reply);

  /// Something that is counted.
  ///
  /// @param age milliseconds since the activation was published, or since its delay ended
  default void count(Tally tally, Activation activation, long age) {}

  /// Something that operators want to know of.
  void notice(Notice notice, String id, String detail);
}
