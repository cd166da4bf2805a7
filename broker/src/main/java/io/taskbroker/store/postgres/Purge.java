package io.taskbroker.store.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/// Bounded removal of expired tombstones, obsolete reports and dead brokers. Confined to one
/// thread, like its connection.
final class Purge {
  /// Maximum number of tombstones per statement.
  private static final int STEP_LIMIT = 50_000;

  /// Maximum number of such statements per call, so that a purge keeps up with any rate.
  private static final int MAX_STEPS = 8;

  /// Starts behind the tombstones that were purged before: dead rows stay there while a session
  /// holds an old snapshot.
  private static final String TOMBSTONES =
      """
      DELETE FROM taskbroker_tombstone t USING (
        SELECT d.* FROM unnest(?::int[], ?::bigint[]) AS s(partition_id, purged_until)
        CROSS JOIN LATERAL (
          SELECT partition_id, until, high, low FROM taskbroker_tombstone x
          WHERE x.partition_id = s.partition_id AND x.until > s.purged_until AND x.until <= ?
          ORDER BY x.until LIMIT ?
        ) d LIMIT ?
      ) ended
      WHERE t.partition_id = ended.partition_id AND t.until = ended.until AND t.high = ended.high
        AND t.low = ended.low
      """;

  /// Reports that arrived while their row was being deleted.
  private static final String REPORTS =
      """
      DELETE FROM taskbroker_remote_report r WHERE r.partition_id = ANY (?) AND NOT EXISTS (
        SELECT FROM taskbroker_activation t WHERE t.partition_id = r.partition_id AND t.key = r.key)
      """;

  /// Brokers whose lease ended a day ago and that own no partition.
  private static final String DEAD_BROKERS =
      """
      WITH dead AS (
        DELETE FROM taskbroker_broker d
        WHERE d.lease_until < clock_timestamp() - interval '1 day'
          AND NOT EXISTS (SELECT FROM taskbroker_owned_partition p WHERE p.epoch = d.epoch)
        RETURNING d.epoch
      )
      DELETE FROM taskbroker_batch b USING dead WHERE b.epoch = dead.epoch
      """;

  private final Connection connection;

  Purge(Connection connection) {
    this.connection = connection;
  }

  void run(List<OwnedPartition> ownedPartitions, long now) throws SQLException {
    int[] partitionIds = ownedPartitions.stream().mapToInt(OwnedPartition::id).toArray();
    int ended = STEP_LIMIT;
    for (int step = 0; step < MAX_STEPS && ended == STEP_LIMIT; step++) {
      ended = tombstones(partitionIds, ownedPartitions, now);
    }
    if (ended < STEP_LIMIT) {
      ownedPartitions.forEach(ownedPartition -> ownedPartition.purgedUntil(now));
    }
    try (PreparedStatement statement = connection.prepareStatement(REPORTS)) {
      new Binder(statement).set(partitionIds);
      statement.executeUpdate();
    }
    try (PreparedStatement statement = connection.prepareStatement(DEAD_BROKERS)) {
      statement.executeUpdate();
    }
  }

  private int tombstones(int[] partitionIds, List<OwnedPartition> ownedPartitions, long now)
      throws SQLException {
    long[] purgedUntil = ownedPartitions.stream().mapToLong(OwnedPartition::purgedUntil).toArray();
    try (PreparedStatement statement = connection.prepareStatement(TOMBSTONES)) {
      new Binder(statement)
          .set(partitionIds)
          .set(purgedUntil)
          .set(now)
          .set(STEP_LIMIT)
          .set(STEP_LIMIT);
      return statement.executeUpdate();
    }
  }
}
