package io.taskbroker.store.postgres;

import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import io.taskbroker.store.postgres.Takeover.Taken;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Adopter of orphans, which no broker owns (`contention_drain_age_sec`): partitions and topics
/// that no longer exist, and rows without a partition of dead brokers (H23). Confined to one
/// thread, like its connection.
final class OrphanAdopter {
  /// Partitions per call: few, so that concurrent brokers share the orphans.
  private static final int PARTITIONS_PER_CALL = 4;

  private static final String ORPHANED =
      """
      SELECT p.partition_id, p.topic, p.partition, coalesce(p.epoch, 0)
      FROM taskbroker_owned_partition p LEFT JOIN taskbroker_broker b ON b.epoch = p.epoch
      WHERE CASE
          WHEN p.epoch IS NULL THEN p.free_since
          WHEN p.epoch = ? THEN 'infinity'
          ELSE coalesce(b.lease_until, '-infinity')
        END < clock_timestamp() - ? * interval '1 ms'
        AND EXISTS (SELECT FROM taskbroker_activation t WHERE t.partition_id = p.partition_id)
      ORDER BY random() LIMIT ?
      """;

  /// Ends the ownership of the dead broker, in case it resumes.
  private static final String RELEASE =
      """
      UPDATE taskbroker_owned_partition SET epoch = NULL, free_since = '-infinity'
      WHERE partition_id = ? AND coalesce(epoch, 0) = ?
      """;

  private static final String MOVE =
      """
      UPDATE taskbroker_activation t SET partition_id = ?
      FROM (
        SELECT partition_id, key FROM taskbroker_activation
        WHERE partition_id = ? ORDER BY key LIMIT ?
      ) m
      WHERE t.partition_id = m.partition_id AND t.key = m.key RETURNING %s
      """
          .formatted(PostgresRowCodec.COLUMNS);

  private static final String MOVE_REPORTS =
      "UPDATE taskbroker_remote_report SET partition_id = ? WHERE partition_id = ? AND key = ANY"
          + " (?)";

  private static final String MOVE_TOMBSTONES =
      """
      WITH moved AS (
        DELETE FROM taskbroker_tombstone WHERE partition_id = ? RETURNING until, high, low
      )
      INSERT INTO taskbroker_tombstone (partition_id, until, high, low)
      SELECT ?, until, high, low FROM moved ON CONFLICT DO NOTHING
      """;

  private final Connection connection;
  private final Takeover takeover;
  private final long epoch;
  private final OwnedPartitions ownedPartitions;

  OrphanAdopter(
      Connection connection, Takeover takeover, long epoch, OwnedPartitions ownedPartitions) {
    this.connection = connection;
    this.takeover = takeover;
    this.epoch = epoch;
    this.ownedPartitions = ownedPartitions;
  }

  private record OrphanedPartition(int partitionId, Name name, long epoch) {}

  Adoption adopt(Duration age, int limit) throws SQLException {
    List<SourcePartition> partitions = new ArrayList<>();
    List<Row> rows = new ArrayList<>();
    for (OrphanedPartition orphaned : orphanedPartitions(age)) {
      Name name = orphaned.name();
      if (name.partition() < 0) {
        rows.addAll(moveRows(orphaned, limit - rows.size()));
      } else {
        Taken taken = takeover.take(name, Takeover.ADOPTED).orElse(null);
        if (taken != null && !taken.alreadyOwned()) {
          ownedPartitions.put(name, taken.ownedPartition());
          partitions.add(new SourcePartition("", "", "", name.topic(), name.partition()));
        }
      }
    }
    List<ParkedRow> parked = new ArrayList<>();
    for (Row row : rows) {
      if (row.parkedUntil() != Row.NONE) {
        parked.add(ParkedRow.of(row));
      }
    }
    rows.removeIf(row -> row.parkedUntil() != Row.NONE);
    return new Adoption(partitions, rows, parked);
  }

  private List<OrphanedPartition> orphanedPartitions(Duration age) throws SQLException {
    List<OrphanedPartition> all = new ArrayList<>();
    try (PreparedStatement find = connection.prepareStatement(ORPHANED)) {
      new Binder(find).set(epoch).set(age.toMillis()).set(PARTITIONS_PER_CALL);
      try (ResultSet result = find.executeQuery()) {
        while (result.next()) {
          all.add(
              new OrphanedPartition(
                  result.getInt(1),
                  new Name(result.getString(2), result.getInt(3)),
                  result.getLong(4)));
        }
      }
    }
    return all;
  }

  private List<Row> moveRows(OrphanedPartition from, int limit) throws SQLException {
    if (limit <= 0) {
      return List.of();
    }
    int own = ownedPartitions.own().id();
    return takeover.withoutCommits(
        from.epoch(),
        () -> {
          try (PreparedStatement release = connection.prepareStatement(RELEASE)) {
            new Binder(release).set(from.partitionId()).set(from.epoch());
            if (release.executeUpdate() == 0) {
              return List.of(); // another broker was faster
            }
          }
          List<Row> rows = new ArrayList<>();
          PostgresRowCodec codec = new PostgresRowCodec();
          try (PreparedStatement move = connection.prepareStatement(MOVE)) {
            new Binder(move).set(own).set(from.partitionId()).set(limit);
            try (ResultSet result = move.executeQuery()) {
              while (result.next()) {
                rows.add(codec.read(result));
              }
            }
          }
          try (PreparedStatement reports = connection.prepareStatement(MOVE_REPORTS)) {
            long[] keys = rows.stream().mapToLong(Row::key).toArray();
            new Binder(reports).set(own).set(from.partitionId()).set(keys);
            reports.executeUpdate();
          }
          try (PreparedStatement tombstones = connection.prepareStatement(MOVE_TOMBSTONES)) {
            new Binder(tombstones).set(from.partitionId()).set(own);
            tombstones.executeUpdate();
          }
          ownedPartitions.own().purgedUntil(0);
          for (Row row : rows) {
            ownedPartitions
                .own()
                .bytes()
                .addAndGet(CommitSession.ROW_BYTES + row.activation().payload().length);
          }
          return rows;
        });
  }
}
