package io.taskbroker.store.postgres;

import io.taskbroker.store.Fleet;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reader of the brokers of a database and their partitions. Confined to the thread of the
/// connection.
final class FleetReader {
  /// A member whose slot has a later epoch has ended, even if its lease has not.
  private static final String MEMBERS =
      """
      SELECT b.epoch, b.member_slot, b.version, (extract(epoch FROM b.started_at) * 1000)::bigint,
        (extract(epoch FROM b.renewed_at) * 1000)::bigint,
        b.lease_until > clock_timestamp() AND NOT EXISTS (
          SELECT FROM taskbroker_broker o WHERE o.member_slot = b.member_slot AND o.epoch > b.epoch)
          AS alive,
        b.bytes
      FROM taskbroker_broker b
      WHERE b.lease_until > clock_timestamp() - interval '1 day'
        OR EXISTS (SELECT FROM taskbroker_owned_partition p WHERE p.epoch = b.epoch)
      ORDER BY alive DESC, b.epoch DESC LIMIT ?
      """;

  private static final String PARTITIONS =
      """
      SELECT partition_id, topic, partition, epoch,
        CASE WHEN epoch IS NOT NULL THEN (extract(epoch FROM owned_since) * 1000)::bigint
          WHEN isfinite(free_since) THEN (extract(epoch FROM free_since) * 1000)::bigint END
      FROM taskbroker_owned_partition ORDER BY topic, partition LIMIT ?
      """;

  private final Connection connection;
  private final String database;

  /// @param database its name, with which those of its brokers begin
  FleetReader(Connection connection, String database) {
    this.connection = connection;
    this.database = database;
  }

  Fleet read() throws SQLException {
    return new Fleet(members(), partitions());
  }

  private List<Fleet.Member> members() throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(MEMBERS)) {
      new Binder(select).set(Fleet.MAX_MEMBERS);
      List<Fleet.Member> members = new ArrayList<>();
      try (ResultSet result = select.executeQuery()) {
        while (result.next()) {
          members.add(
              new Fleet.Member(
                  result.getLong(1),
                  PostgresStore.name(database, result.getInt(2)),
                  Optional.ofNullable(result.getString(3)),
                  time(result, 4),
                  time(result, 5),
                  result.getBoolean(6),
                  result.getLong(7)));
        }
      }
      return members;
    }
  }

  private List<Fleet.Owned> partitions() throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(PARTITIONS)) {
      new Binder(select).set(Fleet.MAX_PARTITIONS);
      List<Fleet.Owned> partitions = new ArrayList<>();
      try (ResultSet result = select.executeQuery()) {
        while (result.next()) {
          partitions.add(
              new Fleet.Owned(
                  result.getInt(1),
                  result.getString(2),
                  result.getInt(3),
                  number(result, 4),
                  time(result, 5)));
        }
      }
      return partitions;
    }
  }

  private static Optional<Long> number(ResultSet result, int column) throws SQLException {
    long number = result.getLong(column);
    return result.wasNull() ? Optional.empty() : Optional.of(number);
  }

  private static Optional<Instant> time(ResultSet result, int column) throws SQLException {
    return number(result, column).map(Instant::ofEpochMilli);
  }
}
