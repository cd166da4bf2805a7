package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Output of the engine. Called by the engine's thread; no method blocks or calls the engine back
/// before the engine returns.
public interface Effects {
  /// Makes a change durable; answered by [Command.Committed], [Command.Fenced] or
  /// [Command.Rejected].
  void write(Change change);

  /// Reads parked rows; answered by [Command.ParkedRead] when all earlier changes are durable.
  void readParked(String application, long afterDue, long afterKey, long upTo, int limit);

  /// Reads these rows; answered by [Command.RowsRead].
  void readRows(List<Long> keys, Object owner);

  /// Writes reports for the brokers that have their activations; answered by
  /// [Command.ReportsForwarded] when they are durable (H3).
  void forwardReports(List<RemoteReport> reports, Object owner);

  /// Reads the reports that other brokers received on these rows; answered by
  /// [Command.ReportsRead].
  void readReports(List<Long> keys, Object owner);

  /// Waits until the outcome of every earlier change is known; answered by [Command.BarrierPassed].
  void barrier(Object owner);

  /// Calls a worker of the delivery's application now; answered by [Command.PushEnded].
  void push(Delivery delivery);

  /// Produces a record, as often as it takes; answered by [Command.Produced] or
  /// [Command.ProduceRefused].
  void produce(OutboxRecord record);

  /// Everything of the partition below `nextOffset` is durable: the offset may be committed.
  ///
  /// @param records how many of the records given by [Command.Ingest] this settles
  /// @param bytes their size
  /// @param urgent whether a task waits for the commit
  void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent);

  /// The next record of the partition waits for room for its application. The reader looks for
  /// records of other applications in Kafka behind those that it submitted, and reports one by
  /// [Command.Foreseen].
  ///
  /// @param application null if no record waits any more
  default void stands(SourcePartition partition, @Nullable String application) {}

  /// Nothing of the revoked partition is pending any more.
  void drained(SourcePartition partition);

  /// The store assigned the partition to another broker (H10): nothing more of it is consumed, and
  /// its offsets must not be committed.
  void lost(SourcePartition partition);

  void reply(Command.ReportReply reply, @Nullable Delivery next);

  void reply(Command.ClaimReply reply, @Nullable Delivery delivery);

  void reply(Command.EnqueueReply reply, List<EnqueueOutcome> outcomes);

  /// Sends a task to a worker that opened a stream.
  void deliver(WorkerSession session, Delivery delivery);

  /// Asks a worker to stop an attempt, as [WorkerSession#cancel].
  void cancel(WorkerSession session, String id, AttemptToken token, boolean requested);

  /// Counts an event.
  ///
  /// @param age milliseconds since the activation was published, or since its delay ended
  default void count(Tally tally, Activation activation, long age) {}

  /// Whether activations are followed, which never changes. If not, [#follow] is not called, and
  /// following costs nothing.
  default boolean follows() {
    return false;
  }

  /// Reports a step in the life of an activation.
  ///
  /// @param detail may be empty
  default void follow(TaskLifecycle step, Activation activation, String detail) {}

  /// Reports an event of an activation to operators.
  ///
  /// @param detail may be empty
  default void notice(Notice notice, Activation about, String detail) {
    notice(notice, about.id(), detail);
  }

  /// Reports an event of an application, or of an unknown id, to operators.
  ///
  /// @param detail may be empty
  void notice(Notice notice, String id, String detail);
}
