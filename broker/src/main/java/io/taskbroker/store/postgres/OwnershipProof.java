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

/// The proof that the places of a run are its own still, which a broker needs after a pause that
/// was longer than its lease: others may have taken them meanwhile (H11). Thread-safe.
///
/// A proof that a take or a release overlaps says nothing: of a place that changes hands it cannot
/// tell the time before from the time after.
final class OwnershipProof {
  private final long run;
  private final OwnedPartitions places;

  // Guarded by this.
  private int underWay;
  private long begun;

  OwnershipProof(long run, OwnedPartitions places) {
    this.run = run;
    this.places = places;
  }

  /// A place is about to be taken, or released.
  synchronized void beginMove() {
    underWay++;
    begun++;
  }

  synchronized void endMove() {
    underWay--;
  }

  /// Forgets the places that other brokers took, and tells the listener of each.
  ///
  /// @return false if a take or a release came between
  /// @throws StoreException of kind `FATAL` if another broker has the seat
  boolean prove(Connection connection, PostgresStore.Listener listener) throws SQLException {
    long before;
    List<Map.Entry<Name, OwnedPartition>> mine;
    synchronized (this) {
      if (underWay > 0) {
        return false;
      }
      before = begun;
      mine = places.taken();
    }
    Set<Integer> owned = owned(connection);
    if (!owned.contains(places.own().slot())) {
      throw new StoreException(
          Kind.FATAL, "Another broker took the seat of this one while it stood still", null);
    }
    synchronized (this) {
      if (begun != before) {
        return false;
      }
      for (Map.Entry<Name, OwnedPartition> each : mine) {
        if (!owned.contains(each.getValue().slot())) {
          places.lost(each.getValue());
          listener.lost(each.getKey().topic(), each.getKey().partition());
        }
      }
      return true;
    }
  }

  private Set<Integer> owned(Connection connection) throws SQLException {
    Set<Integer> owned = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(Sql.OWNED)) {
      new Binder(statement).set(places.slots()).set(run);
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          owned.add(result.getInt(1));
        }
      }
    }
    return owned;
  }
}
