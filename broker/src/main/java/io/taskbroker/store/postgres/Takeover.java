package io.taskbroker.store.postgres;

import io.taskbroker.store.postgres.OwnedPartition.Mark;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes places a run's own, and free again (H10, H11, H23). Confined to one thread, like its
/// connection, which commits by itself.
///
/// A place changes hands under the lock of the run that has it, which every commit of that run has
/// shared: no commit is under way when it does.
final class Takeover {
  private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

  private static final String MAKE =
      "INSERT INTO taskbroker_place (topic, partition) VALUES (?, ?) ON CONFLICT DO NOTHING";

  private static final String FIND =
      """
      SELECT p.slot, coalesce(p.run, 0), p.generation, coalesce(r.lease_until > clock_timestamp(), FALSE), p.drained
      FROM taskbroker_place p LEFT JOIN taskbroker_run r ON r.run = p.run
      WHERE p.topic = ? AND p.partition = ? FOR UPDATE OF p
      """;

  private static final String LOCK = "SELECT pg_advisory_xact_lock(%d, ?)".formatted(Sql.RUN_LOCKS);

  /// Ends the connections of a run whose commit does not end: its broker was stopped while it sent
  /// it, or is gone. What it had begun is undone.
  private static final String END =
      """
      SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l
      WHERE l.locktype = 'advisory' AND l.classid = %d AND l.objid = ? AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.mode = 'ShareLock'
      """
          .formatted(Sql.RUN_LOCKS);

  private static final String TAKE =
      "UPDATE taskbroker_place SET run = ?, generation = ? WHERE slot = ?";

  private static final String FREE =
      """
      UPDATE taskbroker_place SET run = NULL, free_since = clock_timestamp(), drained = ?
      WHERE slot = ? AND run = ?
      """;

  /// The generation of what was taken because nobody had it: lower than any, and taken from nobody
  /// who lives.
  static final int ADOPTED = -1;

  private final Connection connection;
  private final long run;
  private final long patienceMillis;

  /// @param patienceMillis how long a commit of another run may keep a place from being taken
  Takeover(Connection connection, long run, long patienceMillis) {
    this.connection = connection;
    this.run = run;
    this.patienceMillis = patienceMillis;
  }

  /// A place that is this run's now.
  ///
  /// @param kept whether it was before
  /// @param released whether its former owner gave it up in order
  record Taken(OwnedPartition place, boolean kept, boolean released) {}

  /// @return the place as it is now; empty if another run got it in a later generation, and lives
  Optional<Taken> take(Name name, int generation) throws SQLException {
    try (PreparedStatement make = connection.prepareStatement(MAKE)) {
      new Binder(make).set(name.topic()).set(name.partition());
      make.executeUpdate();
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20 * patienceMillis);
    while (true) {
      Attempt attempt = inTransaction(() -> attempt(name, generation));
      if (attempt.stuck == 0) {
        return attempt.slot == 0
            ? Optional.empty()
            : Optional.of(new Taken(read(attempt.slot), attempt.kept, attempt.released));
      }
      if (System.nanoTime() - deadline > 0) {
        throw new SQLException("The run " + attempt.stuck + " does not end its commit", "55P03");
      }
      end(attempt.stuck);
    }
  }

  /// Gives up a place, if it is this run's.
  ///
  /// @param drained whether it is written down what its workers have
  void free(OwnedPartition place, boolean drained) throws SQLException {
    inTransaction(() -> {
      lock(run);
      try (PreparedStatement free = connection.prepareStatement(FREE)) {
        new Binder(free).set(drained).set(place.slot()).set(run);
        return free.executeUpdate();
      }
    });
  }

  /// Does a step in a transaction, while no commit of a run is under way.
  ///
  /// @param of 0 for no run
  <T> T alone(long of, Step<T> step) throws SQLException {
    return inTransaction(() -> {
      if (of != 0 && !lock(of)) {
        throw new SQLException("The run " + of + " does not end its commit", "55P03");
      }
      return step.run();
    });
  }

  private Attempt attempt(Name name, int generation) throws SQLException {
    int slot;
    long holder;
    boolean drained;
    try (PreparedStatement find = connection.prepareStatement(FIND)) {
      new Binder(find).set(name.topic()).set(name.partition());
      try (ResultSet result = find.executeQuery()) {
        result.next();
        slot = result.getInt(1);
        holder = result.getLong(2);
        drained = result.getBoolean(5);
        boolean alive = result.getBoolean(4);
        boolean later = generation == ADOPTED || result.getInt(3) > generation;
        if (holder != 0 && holder != run && alive && later) {
          return new Attempt(0, 0, false, false);
        }
      }
    }
    if (holder != 0 && !lock(holder)) {
      return new Attempt(slot, holder, false, false);
    }
    try (PreparedStatement take = connection.prepareStatement(TAKE)) {
      new Binder(take).set(run).set(generation).set(slot);
      take.executeUpdate();
    }
    return new Attempt(slot, 0, holder == run, holder == 0 && drained);
  }

  /// @return whether it was had in time; if not, the transaction is over
  private boolean lock(long of) throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement(LOCK)) {
      new Binder(lock).set((int) of);
      lock.execute();
      return true;
    } catch (SQLException e) {
      if (PostgresErrors.state(e).equals("55P03")) {
        connection.rollback();
        return false;
      }
      throw e;
    }
  }

  private void end(long holder) throws SQLException {
    try (PreparedStatement end = connection.prepareStatement(END)) {
      new Binder(end).set((int) holder);
      try (ResultSet result = end.executeQuery()) {
        result.next();
        LOG.warn(
            "Ended {} connections of the broker run {}, whose commit took longer than {} ms",
            result.getInt(1),
            holder,
            patienceMillis);
      }
    }
  }

  private OwnedPartition read(int slot) throws SQLException {
    PostgresPageReader reader = new PostgresPageReader(connection);
    OwnedPartition place = new OwnedPartition(slot);
    for (Mark mark : reader.watermarks(new int[] {slot})) {
      place.marks().put(mark.watermark().partition(), mark);
    }
    place.bytes().set(reader.bytes(slot));
    return place;
  }

  private <T> T inTransaction(Step<T> step) throws SQLException {
    connection.setAutoCommit(false);
    try (PreparedStatement patience =
        connection.prepareStatement("SET LOCAL lock_timeout = " + patienceMillis)) {
      patience.execute();
      T result = step.run();
      connection.commit();
      return result;
    } catch (SQLException | RuntimeException e) {
      try {
        connection.rollback();
      } catch (SQLException f) {
        e.addSuppressed(f);
      }
      throw e;
    } finally {
      connection.setAutoCommit(true);
    }
  }

  /// @param slot 0 if it is not to be had
  /// @param stuck the run that keeps it by a commit that does not end; 0 if none does
  private record Attempt(int slot, long stuck, boolean kept, boolean released) {}

  /// Something to do in a transaction.
  interface Step<T> {
    T run() throws SQLException;
  }
}
