package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Proof that a broker epoch still owns its partitions. A broker needs it after a pause longer than
/// its lease, in which others may have taken them (H11). Thread-safe.
///
/// A take or a release that overlaps a proof makes it inconclusive: the result cannot be ordered
/// against the move.
final class OwnershipProof {
  private final long epoch;
  private final OwnedPartitions ownedPartitions;

  // Guarded by this.
  private int pendingMoves;
  private long movesStarted;

  OwnershipProof(long epoch, OwnedPartitions ownedPartitions) {
    this.epoch = epoch;
    this.ownedPartitions = ownedPartitions;
  }

  /// Marks the start of a take or a release.
  synchronized void beginMove() {
    pendingMoves++;
    movesStarted++;
  }

  synchronized void endMove() {
    pendingMoves--;
  }

  /// Drops the partitions that other brokers took, and reports each to the listener.
  ///
  /// @return false if a take or a release overlapped
  /// @throws StoreException of kind `FATAL` if another broker holds the member slot
  boolean prove(Connection connection, PostgresStore.Listener listener) throws SQLException {
    long before;
    List<Map.Entry<Name, OwnedPartition>> believed;
    synchronized (this) {
      if (pendingMoves > 0) {
        return false;
      }
      before = movesStarted;
      believed = ownedPartitions.taken();
    }
    Set<Integer> owned = owned(connection);
    if (!owned.contains(ownedPartitions.own().id())) {
      throw new StoreException(
          Kind.FATAL,
          "Another broker took the member slot of this broker while it was paused",
          null);
    }
    synchronized (this) {
      if (movesStarted != before) {
        return false;
      }
      for (Map.Entry<Name, OwnedPartition> each : believed) {
        if (!owned.contains(each.getValue().id())) {
          ownedPartitions.drop(each.getValue());
          listener.lost(each.getKey().topic(), each.getKey().partition());
        }
      }
      return true;
    }
  }

  private Set<Integer> owned(Connection connection) throws SQLException {
    Set<Integer> owned = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(Sql.OWNED)) {
      new Binder(statement).set(ownedPartitions.ids()).set(epoch);
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          owned.add(result.getInt(1));
        }
      }
    }
    return owned;
  }
}
