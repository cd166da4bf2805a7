package io.taskbroker.store;

import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.Collections;
import java.util.List;

/// The durable home of what is in flight, in domain words and in batches. One owner writes to it.
///
/// Confined: apart from [#name], [#position] and [#lacks], all methods are called by one thread at
/// a time. Every method throws [StoreException], whose kind says what to do about it.
public interface ActivationStore extends AutoCloseable {
  /// A random name that the store got when it was made and keeps; Kafka knows its broker by it.
  String name();

  /// Where this store is in its history: the last transaction that is durable. Thread-safe.
  default StorePosition position() {
    return StorePosition.NONE;
  }

  /// The last transaction of this run that hands out something that may run only once. Thread-safe.
  default StorePosition handedOut() {
    return StorePosition.NONE;
  }

  /// Whether the store lacks a transaction that it once had: it went back since (docs/adr/0012).
  /// Thread-safe.
  ///
  /// @param noted a position that a store of this name, or of the same database, had
  default boolean lacks(StorePosition noted) {
    return false;
  }

  /// The key above which all are free: the next rows of this owner get those that follow it, and no
  /// other row has, had or ever gets one of them.
  ///
  /// At the opening it is the largest key that any row had, 0 if there was none. Where brokers
  /// share the store, it is larger than every key that whoever opened it before has given or will
  /// give, and smaller than those of whoever opens it later. Since then it is the largest key of
  /// what this owner inserted, if that is larger.
  long lastKey();

  /// The smallest key that a row has, [Long#MAX_VALUE] if there is no row; 0 if that would take
  /// long to find.
  default long firstKey() {
    return 0;
  }

  /// Up to `limit` rows that are not parked, payloads included, in the order of their keys,
  /// beginning after `key`.
  List<Row> load(long key, int limit);

  /// Up to `limit` parked rows, without what is on disk only, in the order of their keys, beginning
  /// after `key`.
  List<ParkedRow> loadParked(long key, int limit);

  List<Watermark> watermarks();

  /// The ids whose tombstones stand at `now` (milliseconds since the epoch), oldest first.
  List<Tombstone> tombstones(long now);

  /// Commits the changes of the batch in one transaction, which is on disk when this returns.
  ///
  /// A batch that is given again, under the number it had, after an attempt that may have been
  /// committed, is applied once (H6).
  ///
  /// @return an outcome for each change, in order
  /// @throws StoreException nothing of the batch is known to be committed; kind `DATA` if a change
  ///   holds something that the store cannot hold
  List<Outcome> commit(WriteBatch batch);

  /// Rows of the application that are parked and due, ordered by (parkedUntil, key). Fewer than
  /// asked for if they are large, but one at least if there is one.
  ParkedPage due(ParkedQuery query);

  /// The rows of those keys that there are, parked or not, payloads included, in the order of their
  /// keys.
  ///
  /// @param keys few: the answer has no other bound
  List<Row> rows(List<Long> keys);

  /// Writes reports down that are about activations which this broker does not have, for the
  /// brokers that have them, who are told at once (H3). Durable when it returns.
  ///
  /// @param reports without keys
  /// @return of each, in order, whether the store has a row of that id; a store of one broker has
  ///   none
  default List<Boolean> report(List<RemoteReport> reports) {
    return Collections.nCopies(reports.size(), false);
  }

  /// What other brokers were told of these rows, in the order in which they were.
  default List<RemoteReport> reports(List<Long> keys) {
    return List.of();
  }

  /// The size of the database in bytes, free pages apart.
  long size();

  /// Work that keeps the database small; called now and then when there is nothing else to do.
  ///
  /// @param now milliseconds since the epoch: tombstones that ended before it are removed
  void maintain(long now);

  @Override
  void close();

  /// What became of one change.
  enum Outcome {
    APPLIED,
    /// An insert whose key is there already.
    DUPLICATE,
    /// A mark, leave or delete of a row that is not there.
    MISSING,
    /// The change was made by a former owner of the row's partition, and was not applied.
    FENCED
  }

  /// An id that must not come again before `until` (milliseconds since the epoch).
  record Tombstone(Fingerprint id, long until) {}

  /// Rows of an application that are due no later than `upTo`, beginning after the row (`afterDue`,
  /// `afterKey`).
  record ParkedQuery(String application, long afterDue, long afterKey, long upTo, int limit)
      implements StoreQuery {}

  /// Rows that are due, and when the next is.
  ///
  /// @param nextDue when the first row that is not in the page is due; [Row#NONE] if there is none
  record ParkedPage(List<Row> rows, long nextDue) {
    public ParkedPage {
      rows = List.copyOf(rows);
    }
  }
}
