package io.taskbroker.store;

import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/// Durable store of the tasks in flight, read and written in batches, with one writer.
///
/// Confined: apart from [#name], [#position], [#handedOut] and [#lacks], one thread at a time calls
/// the methods. Every method throws [StoreException], whose kind says how to react.
public interface ActivationStore extends AutoCloseable {
  /// Random name, assigned at creation and never changed; identifies the broker to Kafka.
  String name();

  /// Position of the last durable transaction. Thread-safe.
  default StorePosition position() {
    return StorePosition.NONE;
  }

  /// Position of the last transaction of this process that claims an at-most-once task.
  /// Thread-safe.
  default StorePosition handedOut() {
    return StorePosition.NONE;
  }

  /// Whether the store lacks a transaction that it once had, that is, went back (docs/adr/0012).
  /// Thread-safe.
  ///
  /// @param noted a position recorded earlier of a store with this name, or of the same database
  default boolean lacks(StorePosition noted) {
    return false;
  }

  /// Last used key: the next rows of this owner get the keys that follow it. No other row ever has
  /// one of those.
  ///
  /// When the store is opened, it is the largest key that any row had, 0 if there was none. In a
  /// shared store it is larger than every key of owners that opened it earlier, present or future,
  /// and smaller than those of owners that open it later. Afterwards it rises to the largest key
  /// that this owner inserts.
  long lastKey();

  /// Smallest key of a row, [Long#MAX_VALUE] if there is no row; 0 if the search would be slow.
  default long firstKey() {
    return 0;
  }

  /// Up to `limit` rows that are not parked, payloads included, with keys greater than `key`, in
  /// key order.
  List<Row> load(long key, int limit);

  /// Up to `limit` parked rows, without the parts kept on disk only, with keys greater than `key`,
  /// in key order.
  List<ParkedRow> loadParked(long key, int limit);

  List<Watermark> watermarks();

  /// The newest [Ids#MOST_REMEMBERED] tombstones that have not expired at `now` (milliseconds since
  /// the epoch), oldest first.
  List<Tombstone> tombstones(long now);

  /// Commits the batch in one transaction; it is on disk when this method returns.
  ///
  /// A retry of a batch, under the same number, after an attempt that may have committed, is
  /// applied once (H6).
  ///
  /// @return an outcome for each change, in order
  /// @throws StoreException nothing of the batch is known to be committed; kind `DATA` if the store
  ///   cannot hold one of the changes
  List<ChangeOutcome> commit(WriteBatch batch);

  /// Due parked rows of one priority of an application, ordered by (parkedUntil, key). Large rows
  /// shorten the page, to one row at least if any is due.
  ParkedPage due(ParkedQuery query);

  /// The existing rows among these keys, parked or not, payloads included, in key order.
  ///
  /// @param keys few: the answer has no other bound
  List<Row> rows(List<Long> keys);

  /// Stores reports on tasks that this broker does not have, and notifies the brokers that have
  /// them at once (H3). Durable when this method returns.
  ///
  /// @param reports without keys
  /// @return for each report, in order, whether the store has a row with that id; always false in a
  ///   store of a single broker
  default List<Boolean> report(List<RemoteReport> reports) {
    return Collections.nCopies(reports.size(), false);
  }

  /// Reports that other brokers stored for these rows, in order of arrival.
  default List<RemoteReport> reports(List<Long> keys) {
    return List.of();
  }

  /// The record of a finished task whose client asked for it, by the id of the task. Its history is
  /// left out.
  default Optional<FinishedTask> finished(String id) {
    return Optional.empty();
  }

  /// The schedules of the store.
  ///
  /// @throws UnsupportedOperationException if it keeps none
  default ScheduleStore schedules() {
    throw new UnsupportedOperationException("This store keeps no schedules");
  }

  /// Size of the database in bytes, without free pages.
  long size();

  /// Keeps the database small; called periodically while the committer is idle.
  ///
  /// @param now milliseconds since the epoch: expired tombstones are removed
  void maintain(long now);

  @Override
  void close();

  /// Id that must not run again before `until` (milliseconds since the epoch).
  record Tombstone(Fingerprint id, long until) {}

  /// Query for rows of one priority of an application that are due by `upTo`, after the row
  /// (`afterDue`, `afterKey`).
  record ParkedQuery(
      String application, int priority, long afterDue, long afterKey, long upTo, int limit)
      implements StoreQuery {}

  /// Page of due rows.
  ///
  /// @param nextDue due time of the first row after the page; [Row#NONE] if there is none
  record ParkedPage(List<Row> rows, long nextDue) {
    public ParkedPage {
      rows = List.copyOf(rows);
    }
  }
}
