package io.taskbroker.inflight.api;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.RemoteReport;
import java.util.List;

/// Port to the store: changes and queries. Called by the engine's thread; no method blocks or calls
/// the engine back before the engine returns.
public interface StorePort {
  /// Makes a change durable; answered by [Command.Committed], [Command.Fenced] or
  /// [Command.Rejected].
  void write(Change change);

  /// Reads parked rows of one priority; answered by [Command.ParkedRead] when all earlier changes
  /// are durable.
  void readParked(
      String application, int priority, long afterDue, long afterKey, long upTo, int limit);

  /// Reads these rows; answered by [Command.RowsRead].
  void readRows(List<Long> keys, Object owner);

  /// Writes reports for the brokers that have their activations; answered by
  /// [Command.ReportsForwarded] when they are durable (H3).
  void forwardReports(List<RemoteReport> reports, Object owner);

  /// Reads the reports that other brokers received on these rows; answered by
  /// [Command.ReportsRead].
  void readReports(List<Long> keys, Object owner);

  /// Reads the record of a finished task whose client asked for it; answered by
  /// [Command.FinishedRead] when all earlier changes are durable.
  void readFinished(String id, Object owner);

  /// Waits until the outcome of every earlier change is known; answered by [Command.BarrierPassed].
  void barrier(Object owner);
}
