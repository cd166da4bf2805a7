package io.taskbroker.store.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// Bounded removal of records of finished tasks: the expired ones of all broker epochs, and those
/// beyond the limit of brokers that are gone. Any broker does it. A living broker keeps to its
/// limit by itself ([FinishedLog]). Confined to one thread, like its connection.
final class FinishedPurge {
  /// Most deletes for one epoch in one call.
  private static final int STEPS = 8;

  private static final String OLDEST =
      """
      SELECT position, kept_until FROM taskbroker_finished
      WHERE epoch = ? ORDER BY position LIMIT 1
      """;

  private final Connection connection;
  private final long maxBytes;

  /// @param maxBytes limit on the bytes of all records of brokers that are gone
  FinishedPurge(Connection connection, long maxBytes) {
    this.connection = connection;
    this.maxBytes = maxBytes;
  }

  void run(long now) throws SQLException {
    long ofTheDead = 0;
    for (PostgresFinished.Epoch epoch : PostgresFinished.epochs(connection)) {
      long before = epoch.from();
      if (!epoch.alive()) {
        long room = Math.max(0, maxBytes - ofTheDead);
        ofTheDead += epoch.to() - epoch.from();
        before = epoch.to() - room;
      }
      purge(epoch.number(), before, now);
    }
  }

  private void purge(long epoch, long before, long now) throws SQLException {
    try (PreparedStatement oldest = connection.prepareStatement(OLDEST);
        PreparedStatement purge = connection.prepareStatement(FinishedLog.PURGE)) {
      for (int step = 0; step < STEPS; step++) {
        new Binder(oldest).set(epoch);
        long position;
        try (ResultSet result = oldest.executeQuery()) {
          if (!result.next()) {
            return;
          }
          position = result.getLong(1);
          if (position >= before && result.getLong(2) >= now) {
            return;
          }
        }
        new Binder(purge).set(epoch).set(position + FinishedLog.CHUNK).set(before).set(now);
        purge.executeUpdate();
      }
    }
  }
}
