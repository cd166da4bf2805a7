package io.taskbroker.store.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/// Removes what has ended, in bounded steps. Confined to one thread, like its connection.
final class Purge {
  /// What one step removes at most.
  private static final int AT_ONCE = 50_000;

  /// Begins where the step before ended, behind what cannot be cleared away while somebody holds an
  /// old snapshot.
  private static final String TOMBSTONES =
      """
      DELETE FROM taskbroker_tombstone t USING (
        SELECT d.* FROM unnest(?::int[], ?::bigint[]) AS s(slot, purged) CROSS JOIN LATERAL (
          SELECT slot, until, high, low FROM taskbroker_tombstone x
          WHERE x.slot = s.slot AND x.until > s.purged AND x.until <= ?
          ORDER BY x.until LIMIT ?
        ) d LIMIT ?
      ) ended
      WHERE t.slot = ended.slot AND t.until = ended.until AND t.high = ended.high
        AND t.low = ended.low
      """;

  /// Reports that came while their row ended.
  private static final String REPORTS =
      """
      DELETE FROM taskbroker_report r WHERE r.slot = ANY (?) AND NOT EXISTS (
        SELECT FROM taskbroker_activation t WHERE t.slot = r.slot AND t.key = r.key)
      """;

  /// Brokers that have not been heard of for a day, and have nothing any more.
  private static final String RUNS =
      """
      WITH dead AS (
        DELETE FROM taskbroker_run r
        WHERE r.lease_until < clock_timestamp() - interval '1 day'
          AND NOT EXISTS (SELECT FROM taskbroker_place p WHERE p.run = r.run)
        RETURNING r.run
      )
      DELETE FROM taskbroker_batch b USING dead WHERE b.run = dead.run
      """;

  private final Connection connection;

  Purge(Connection connection) {
    this.connection = connection;
  }

  void run(List<OwnedPartition> places, long now) throws SQLException {
    int[] slots = places.stream().mapToInt(OwnedPartition::slot).toArray();
    long[] purged = places.stream().mapToLong(OwnedPartition::purged).toArray();
    int ended;
    try (PreparedStatement statement = connection.prepareStatement(TOMBSTONES)) {
      new Binder(statement).set(slots).set(purged).set(now).set(AT_ONCE).set(AT_ONCE);
      ended = statement.executeUpdate();
    }
    if (ended < AT_ONCE) {
      places.forEach(place -> place.purged(now));
    }
    try (PreparedStatement statement = connection.prepareStatement(REPORTS)) {
      new Binder(statement).set(slots);
      statement.executeUpdate();
    }
    try (PreparedStatement statement = connection.prepareStatement(RUNS)) {
      statement.executeUpdate();
    }
  }
}
