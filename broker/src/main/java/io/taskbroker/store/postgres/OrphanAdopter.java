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

/// Takes over what no broker has (`contention_drain_age_sec`): partitions and topics that vanished,
/// and what came from no partition to brokers that are gone (H23). Confined to one thread, like its
/// connection.
final class OrphanAdopter {
  /// Places of one turn, so that brokers that do it at the same time share them.
  private static final int AT_ONCE = 4;

  private static final String ABANDONED =
      """
      SELECT p.slot, p.topic, p.partition, coalesce(p.run, 0) FROM taskbroker_place p
      LEFT JOIN taskbroker_run r ON r.run = p.run
      WHERE CASE
          WHEN p.run IS NULL THEN p.free_since
          WHEN p.run = ? THEN 'infinity'
          ELSE coalesce(r.lease_until, '-infinity')
        END < clock_timestamp() - ? * interval '1 ms'
        AND EXISTS (SELECT FROM taskbroker_activation t WHERE t.slot = p.slot)
      ORDER BY random() LIMIT ?
      """;

  /// From now on the broker that had them, should it wake up, is not their owner.
  private static final String FREE =
      """
      UPDATE taskbroker_place SET run = NULL, free_since = '-infinity'
      WHERE slot = ? AND coalesce(run, 0) = ?
      """;

  private static final String MOVE =
      """
      UPDATE taskbroker_activation t SET slot = ?
      FROM (
        SELECT slot, key FROM taskbroker_activation WHERE slot = ? ORDER BY key LIMIT ?
      ) m
      WHERE t.slot = m.slot AND t.key = m.key RETURNING %s
      """
          .formatted(PostgresRowCodec.COLUMNS);

  private static final String MOVE_REPORTS =
      "UPDATE taskbroker_report SET slot = ? WHERE slot = ? AND key = ANY (?)";

  private static final String MOVE_TOMBSTONES =
      """
      WITH moved AS (DELETE FROM taskbroker_tombstone WHERE slot = ? RETURNING until, high, low)
      INSERT INTO taskbroker_tombstone (slot, until, high, low)
      SELECT ?, until, high, low FROM moved ON CONFLICT DO NOTHING
      """;

  private final Connection connection;
  private final Takeover takeover;
  private final long run;
  private final OwnedPartitions places;

  OrphanAdopter(Connection connection, Takeover takeover, long run, OwnedPartitions places) {
    this.connection = connection;
    this.takeover = takeover;
    this.run = run;
    this.places = places;
  }

  private record Abandoned(int slot, Name name, long run) {}

  Adoption adopt(Duration age, int limit) throws SQLException {
    List<SourcePartition> partitions = new ArrayList<>();
    List<Row> rows = new ArrayList<>();
    for (Abandoned abandoned : abandoned(age)) {
      Name name = abandoned.name();
      if (name.partition() < 0) {
        rows.addAll(move(abandoned, limit - rows.size()));
      } else {
        Taken taken = takeover.take(name, Takeover.ADOPTED).orElse(null);
        if (taken != null && !taken.kept()) {
          places.put(name, taken.place());
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

  private List<Abandoned> abandoned(Duration age) throws SQLException {
    List<Abandoned> all = new ArrayList<>();
    try (PreparedStatement find = connection.prepareStatement(ABANDONED)) {
      new Binder(find).set(run).set(age.toMillis()).set(AT_ONCE);
      try (ResultSet result = find.executeQuery()) {
        while (result.next()) {
          all.add(
              new Abandoned(
                  result.getInt(1),
                  new Name(result.getString(2), result.getInt(3)),
                  result.getLong(4)));
        }
      }
    }
    return all;
  }

  private List<Row> move(Abandoned from, int limit) throws SQLException {
    if (limit <= 0) {
      return List.of();
    }
    int own = places.own().slot();
    return takeover.alone(
        from.run(),
        () -> {
          try (PreparedStatement free = connection.prepareStatement(FREE)) {
            new Binder(free).set(from.slot()).set(from.run());
            if (free.executeUpdate() == 0) {
              return List.of(); // somebody was faster
            }
          }
          List<Row> rows = new ArrayList<>();
          PostgresRowCodec codec = new PostgresRowCodec();
          try (PreparedStatement move = connection.prepareStatement(MOVE)) {
            new Binder(move).set(own).set(from.slot()).set(limit);
            try (ResultSet result = move.executeQuery()) {
              while (result.next()) {
                rows.add(codec.read(result));
              }
            }
          }
          try (PreparedStatement reports = connection.prepareStatement(MOVE_REPORTS)) {
            long[] keys = rows.stream().mapToLong(Row::key).toArray();
            new Binder(reports).set(own).set(from.slot()).set(keys);
            reports.executeUpdate();
          }
          try (PreparedStatement tombstones = connection.prepareStatement(MOVE_TOMBSTONES)) {
            new Binder(tombstones).set(from.slot()).set(own);
            tombstones.executeUpdate();
          }
          places.own().purged(0);
          for (Row row : rows) {
            places
                .own()
                .bytes()
                .addAndGet(CommitSession.ROW_BYTES + row.activation().payload().length);
          }
          return rows;
        });
  }
}
