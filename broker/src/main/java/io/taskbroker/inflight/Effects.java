package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the engine wants done. Called by the engine's thread; nothing of it blocks, and nothing
/// calls the engine back before the engine returned.
public interface Effects {
  /// Make it durable; answered by [Command.Committed], [Command.Fenced] or [Command.Rejected].
  void write(Change change);

  /// Read parked rows; answered by [Command.ParkedRead] when all changes written before are
  /// durable.
  void readParked(String application, long afterDue, long afterKey, long upTo, int limit);

  /// Read these rows; answered by [Command.RowsRead].
  void readRows(List<Long> keys, Object owner);

  /// Write reports down for the brokers that have their activations; answered by
  /// [Command.ReportsForwarded] when they are durable (H3).
  void forwardReports(List<RemoteReport> reports, Object owner);

  /// Read what other brokers were told of these rows; answered by [Command.ReportsRead].
  void readReports(List<Long> keys, Object owner);

  /// Say when the fate of every change written before is known; answered by
  /// [Command.BarrierPassed].
  void barrier(Object owner);

  /// Call the worker of the delivery's application now; answered by [Command.PushEnded].
  void push(Delivery delivery);

  /// Produce it, as often as it takes; answered by [Command.Produced] or [Command.ProduceRefused].
  void produce(OutboxRecord record);

  /// Everything of the partition below `nextOffset` is durable: the offset may be committed.
  ///
  /// @param records how many of the records given by [Command.Ingest] this settles
  /// @param bytes their size
  /// @param urgent whether somebody waits for the commit
  void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent);

  /// The record that is to be taken in next of the partition waits for room for its application.
  /// Look whether records of others are in Kafka behind those that were handed over, and say so by
  /// [Command.Foreseen].
  ///
  /// @param application null if that is over
  default void stands(SourcePartition partition, @Nullable String application) {}

  /// Nothing of the revoked partition is under way any more.
  void drained(SourcePartition partition);

  /// The store says that the partition is not this broker's any more (H10): nothing more of it is
  /// consumed, and its offsets are not to be committed.
  void lost(SourcePartition partition);

  void reply(Command.ReportReply reply, @Nullable Delivery next);

  void reply(Command.ClaimReply reply, @Nullable Delivery delivery);

  void reply(Command.EnqueueReply reply);

  /// Something that is counted.
  ///
  /// @param age milliseconds since the activation was published, or since its delay ended
  default void count(Tally tally, Activation activation, long age) {}

  /// Whether the lives of activations are followed, which does not change. If not, [#follow] is not
  /// called, and following costs nothing.
  default boolean follows() {
    return false;
  }

  /// A step in the life of an activation.
  ///
  /// @param detail may be empty
  default void follow(TaskLifecycle step, Activation activation, String detail) {}

  /// Something that operators want to know of an activation.
  ///
  /// @param detail may be empty
  default void notice(Notice notice, Activation about, String detail) {
    notice(notice, about.id(), detail);
  }

  /// Something that operators want to know of an application, or of an id of which there is no
  /// activation.
  ///
  /// @param detail may be empty
  void notice(Notice notice, String id, String detail);
}
