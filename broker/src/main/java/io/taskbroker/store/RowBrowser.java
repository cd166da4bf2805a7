package io.taskbroker.store;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Reader of the rows for operators, on a read-only connection of its own: it waits for no writer,
/// and no writer waits for it. Every answer is bounded in rows and in time. Thread-safe; one query
/// runs at a time, others wait.
public interface RowBrowser extends AutoCloseable {
  /// Most rows of a page.
  int MAX_ROWS = 1_000;

  /// Rows that match, without their payloads, in the order of their positions.
  ///
  /// @throws StoreException if they cannot be read
  Page browse(Query query);

  /// The payload of a row; empty if the row is gone.
  ///
  /// @throws StoreException if it cannot be read
  Optional<byte[]> payload(Position position);

  /// Records of finished tasks that match, newest first.
  ///
  /// @throws StoreException if they cannot be read
  FinishedPage finished(FinishedQuery query);

  /// Numbers of all rows by name.
  ///
  /// @param within time after which counting ends, complete or not
  /// @throws StoreException if they cannot be read
  RowGroups groups(Duration within);

  /// The brokers that share the store; empty for a store of one broker.
  ///
  /// @throws StoreException if they cannot be read
  default Optional<Fleet> fleet() {
    return Optional.empty();
  }

  @Override
  void close();

  /// A search was given up because it took too long; the message says what to do.
  final class SearchTimeout extends RuntimeException {
    private static final long serialVersionUID = 1;

    public SearchTimeout(String message) {
      super(message);
    }
  }

  /// Position of a row in the order of pages. In a store of one broker the partition is 0.
  record Position(int partitionId, long key) {
    public static final Position START = new Position(Integer.MIN_VALUE, Long.MIN_VALUE);
  }

  /// Filter of rows; an empty field matches all.
  ///
  /// @param after the page begins behind this position
  /// @param id the id of a task
  /// @param parkedTo latest time until which a parked row is parked, milliseconds since the epoch;
  ///   all others match
  /// @param receivedFrom,receivedTo milliseconds since the epoch, the first included
  /// @param status of a parked row; all others match, whose status is written lazily
  /// @param attempts least number of passed processing deadlines of a parked row
  /// @param limit rows of the page, 1 to [#MAX_ROWS]
  /// @param within time after which the page ends, full or not
  record Query(
      Position after,
      Optional<String> id,
      Optional<String> application,
      Optional<String> namespace,
      Optional<String> taskname,
      Optional<StatusAt> status,
      Optional<Boolean> parked,
      long parkedTo,
      Optional<Integer> priority,
      long receivedFrom,
      long receivedTo,
      int attempts,
      int limit,
      Duration within) {
    public Query {
      if (limit < 1 || limit > MAX_ROWS) {
        throw new IllegalArgumentException("limit must be from 1 to " + MAX_ROWS + ": " + limit);
      }
    }

    /// All rows.
    public static Query all(int limit, Duration within) {
      return new Query(
          Position.START,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Long.MAX_VALUE,
          Optional.empty(),
          Long.MIN_VALUE,
          Long.MAX_VALUE,
          0,
          limit,
          within);
    }

    /// The same from another position on.
    public Query from(Position other, int rows) {
      return new Query(
          other,
          id,
          application,
          namespace,
          taskname,
          status,
          parked,
          parkedTo,
          priority,
          receivedFrom,
          receivedTo,
          attempts,
          rows,
          within);
    }

    /// The row of a task.
    public static Query ofId(String id, Duration within) {
      Query all = all(MAX_ROWS, within);
      return new Query(
          all.after,
          Optional.of(id),
          all.application,
          all.namespace,
          all.taskname,
          all.status,
          all.parked,
          all.parkedTo,
          all.priority,
          all.receivedFrom,
          all.receivedTo,
          0,
          MAX_ROWS,
          within);
    }
  }

  /// Status of a row at a time: a delay that is over counts as `Pending`, although the row does not
  /// say so.
  ///
  /// @param at milliseconds since the epoch
  record StatusAt(Status status, long at) {}

  /// Row without its payload.
  ///
  /// @param payloadBytes size of the payload
  record Found(Position position, Row row, long payloadBytes) {}

  /// Page of rows.
  ///
  /// @param next where to go on; empty if there is nothing more
  record Page(List<Found> rows, Optional<Position> next) {
    public Page {
      rows = List.copyOf(rows);
    }
  }
}
