package io.taskbroker.store.postgres;

import io.taskbroker.store.postgres.OwnedPartition.Name;
import io.taskbroker.store.postgres.OwnedPartition.VersionedWatermark;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes and releases partitions for a broker epoch (H10, H11, H23). Confined to one thread, like
/// its connection, which is in auto-commit mode.
///
/// Ownership changes under the exclusive lock of the owner epoch, which every commit of that epoch
/// holds shared. No commit is in flight while it changes.
final class Takeover {
  private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

  private static final String CREATE =
      """
      INSERT INTO taskbroker_owned_partition (topic, partition) VALUES (?, ?)
      ON CONFLICT DO NOTHING
      """;

  private static final String FIND =
      """
      SELECT p.partition_id, coalesce(p.epoch, 0), p.generation,
        coalesce(b.lease_until > clock_timestamp(), FALSE), p.drained
      FROM taskbroker_owned_partition p LEFT JOIN taskbroker_broker b ON b.epoch = p.epoch
      WHERE p.topic = ? AND p.partition = ? FOR UPDATE OF p
      """;

  private static final String LOCK =
      "SELECT pg_advisory_xact_lock(%d, ?)".formatted(Sql.EPOCH_LOCKS);

  /// Terminates the connections of an epoch whose commit does not end: its broker is paused or
  /// dead. The server rolls the commit back.
  private static final String TERMINATE =
      """
      SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l
      WHERE l.locktype = 'advisory' AND l.classid = %d AND l.objid = ? AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.mode = 'ShareLock'
      """
          .formatted(Sql.EPOCH_LOCKS);

  private static final String TAKE =
      """
      UPDATE taskbroker_owned_partition p SET epoch = u.epoch, generation = ?,
        owned_since = CASE WHEN p.epoch = u.epoch THEN p.owned_since ELSE clock_timestamp() END
      FROM (SELECT ?::bigint AS epoch) u WHERE p.partition_id = ?
      """;

  private static final String RELEASE =
      """
      UPDATE taskbroker_owned_partition
      SET epoch = NULL, free_since = clock_timestamp(), drained = ?
      WHERE partition_id = ? AND epoch = ?
      """;

  /// Generation of adopted orphans: lower than any other, so that an assigned owner wins. An
  /// adoption takes nothing from a live broker.
  static final int ADOPTED = -1;

  private final Connection connection;
  private final long epoch;
  private final long patienceMillis;

  /// @param patienceMillis how long a commit of another epoch may delay a take
  Takeover(Connection connection, long epoch, long patienceMillis) {
    this.connection = connection;
    this.epoch = epoch;
    this.patienceMillis = patienceMillis;
  }

  /// Partition that this epoch owns now.
  ///
  /// @param alreadyOwned whether this epoch owned it before
  /// @param released whether its former owner released it cleanly
  record Taken(OwnedPartition ownedPartition, boolean alreadyOwned, boolean released) {}

  /// @return the partition; empty if a live broker owns it with a later generation
  Optional<Taken> take(Name name, int generation) throws SQLException {
    try (PreparedStatement create = connection.prepareStatement(CREATE)) {
      new Binder(create).set(name.topic()).set(name.partition());
      create.executeUpdate();
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20 * patienceMillis);
    while (true) {
      Attempt attempt = inTransaction(() -> attempt(name, generation));
      if (attempt.blockingEpoch == 0) {
        return attempt.partitionId == 0
            ? Optional.empty()
            : Optional.of(
                new Taken(read(attempt.partitionId), attempt.alreadyOwned, attempt.released));
      }
      if (System.nanoTime() - deadline > 0) {
        throw new SQLException(
            "Broker epoch " + attempt.blockingEpoch + " does not end its commit", "55P03");
      }
      terminateCommits(attempt.blockingEpoch);
    }
  }

  /// Releases a partition if this epoch owns it.
  ///
  /// @param drained whether all deliveries to workers are written down
  void release(OwnedPartition ownedPartition, boolean drained) throws SQLException {
    inTransaction(() -> {
      lock(epoch);
      try (PreparedStatement release = connection.prepareStatement(RELEASE)) {
        new Binder(release).set(drained).set(ownedPartition.id()).set(epoch);
        return release.executeUpdate();
      }
    });
  }

  /// Runs a step in a transaction while no commit of an epoch is in flight.
  ///
  /// @param of the epoch; 0 for none
  <T> T withoutCommits(long of, Step<T> step) throws SQLException {
    return inTransaction(() -> {
      if (of != 0 && !lock(of)) {
        throw new SQLException("Broker epoch " + of + " does not end its commit", "55P03");
      }
      return step.run();
    });
  }

  private Attempt attempt(Name name, int generation) throws SQLException {
    int partitionId;
    long holder;
    boolean drained;
    try (PreparedStatement find = connection.prepareStatement(FIND)) {
      new Binder(find).set(name.topic()).set(name.partition());
      try (ResultSet result = find.executeQuery()) {
        result.next();
        partitionId = result.getInt(1);
        holder = result.getLong(2);
        drained = result.getBoolean(5);
        boolean alive = result.getBoolean(4);
        boolean later = generation == ADOPTED || result.getInt(3) > generation;
        if (holder != 0 && holder != epoch && alive && later) {
          return new Attempt(0, 0, false, false);
        }
      }
    }
    if (holder != 0 && !lock(holder)) {
      return new Attempt(partitionId, holder, false, false);
    }
    try (PreparedStatement take = connection.prepareStatement(TAKE)) {
      new Binder(take).set(generation).set(epoch).set(partitionId);
      take.executeUpdate();
    }
    return new Attempt(partitionId, 0, holder == epoch, holder == 0 && drained);
  }

  /// @return whether the lock was acquired in time; if not, the transaction is rolled back
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

  private void terminateCommits(long holder) throws SQLException {
    try (PreparedStatement terminate = connection.prepareStatement(TERMINATE)) {
      new Binder(terminate).set((int) holder);
      try (ResultSet result = terminate.executeQuery()) {
        result.next();
        LOG.warn(
            "Terminated {} connections of broker epoch {}, whose commit took longer than {} ms",
            result.getInt(1),
            holder,
            patienceMillis);
      }
    }
  }

  private OwnedPartition read(int partitionId) throws SQLException {
    PostgresPageReader reader = new PostgresPageReader(connection);
    OwnedPartition ownedPartition = new OwnedPartition(partitionId);
    for (VersionedWatermark known : reader.watermarks(new int[] {partitionId})) {
      ownedPartition.watermarks().put(known.watermark().partition(), known);
    }
    ownedPartition.bytes().set(reader.bytes(partitionId));
    return ownedPartition;
  }

  private <T> T inTransaction(Step<T> step) throws SQLException {
    connection.setAutoCommit(false);
    try (PreparedStatement timeout =
        connection.prepareStatement("SET LOCAL lock_timeout = " + patienceMillis)) {
      timeout.execute();
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

  /// Result of one attempt to take a partition.
  ///
  /// @param partitionId 0 if a live owner keeps it
  /// @param blockingEpoch the epoch whose commit does not end; 0 if there is none
  private record Attempt(
      int partitionId, long blockingEpoch, boolean alreadyOwned, boolean released) {}

  /// Work in a transaction.
  interface Step<T> {
    T run() throws SQLException;
  }
}
