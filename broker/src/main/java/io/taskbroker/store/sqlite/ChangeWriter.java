package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore.Outcome;
import io.taskbroker.store.ActivationStore.Tombstone;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/// Applies changes, one prepared statement for each kind, in the transaction of its connection.
final class ChangeWriter {
  private static final String MARK =
      """
      UPDATE activation SET status = ?, attempts = ?, claim_expires_at = ?, \
      processing_deadline = ?, deadline_extended = ?, committed = ?, parked_until = NULL
      WHERE key = ?
      """;

  private static final String PROVE = "UPDATE activation SET committed = 1 WHERE key = ?";

  private static final String LEAVE =
      """
      UPDATE activation SET status = ?, leaving_topic = ?, leaving_cluster = ?, \
      leaving_headers = ?, parked_until = NULL
      WHERE key = ?
      """;

  private static final String LEAVE_WITH_PAYLOAD =
      """
      UPDATE activation SET status = ?, leaving_topic = ?, leaving_cluster = ?, \
      leaving_headers = ?, parked_until = NULL, payload = ?
      WHERE key = ?
      """;

  private static final String DELETE = "DELETE FROM activation WHERE key = ?";

  private static final String TOMBSTONE =
      """
      INSERT INTO tombstone (until, high, low) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
      """;

  private static final String CONSUMED =
      """
      INSERT INTO watermark (cluster, grp, topic_id, topic, partition_number, next)
      VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET next = excluded.next,
        last_offset = CASE WHEN last_offset < excluded.next THEN last_offset END
      """;

  private static final String CONSUMED_UP_TO =
      """
      INSERT INTO watermark (cluster, grp, topic_id, topic, partition_number, next,
        last_offset, last_epoch, last_timestamp)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET next = excluded.next, last_offset = excluded.last_offset,
        last_epoch = excluded.last_epoch, last_timestamp = excluded.last_timestamp
      """;

  private static final String OFFSET_COMMITTED =
      """
      INSERT INTO watermark (cluster, grp, topic_id, topic, partition_number, next, committed)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
      ON CONFLICT DO UPDATE SET committed = excluded.committed
      """;

  private final SqliteRowCodec codec;
  private final PreparedStatement insert;
  private final PreparedStatement mark;
  private final PreparedStatement prove;
  private final PreparedStatement leave;
  private final PreparedStatement leaveWithPayload;
  private final PreparedStatement delete;
  private final PreparedStatement tombstone;
  private final PreparedStatement consumed;
  private final PreparedStatement consumedUpTo;
  private final PreparedStatement offsetCommitted;

  ChangeWriter(Statements statements, SqliteRowCodec codec) throws SQLException {
    this.codec = codec;
    insert = statements.prepare(SqliteRowCodec.INSERT);
    mark = statements.prepare(MARK);
    prove = statements.prepare(PROVE);
    leave = statements.prepare(LEAVE);
    leaveWithPayload = statements.prepare(LEAVE_WITH_PAYLOAD);
    delete = statements.prepare(DELETE);
    tombstone = statements.prepare(TOMBSTONE);
    consumed = statements.prepare(CONSUMED);
    consumedUpTo = statements.prepare(CONSUMED_UP_TO);
    offsetCommitted = statements.prepare(OFFSET_COMMITTED);
  }

  Outcome apply(Change change) throws SQLException {
    return switch (change) {
      case Change.Insert c -> insert(c.row());
      case Change.UpdateStatus c -> mark(c);
      case Change.ConfirmOffset c -> prove(c);
      case Change.Forward c -> leave(c);
      case Change.Delete c -> delete(c);
      case Change.AdvanceWatermark c -> consumed(c);
      case Change.OffsetCommitted c -> watermark(offsetCommitted, c.partition(), c.committed());
    };
  }

  private Outcome insert(Row row) throws SQLException {
    codec.bind(insert, row);
    return insert.executeUpdate() == 0 ? Outcome.DUPLICATE : Outcome.APPLIED;
  }

  private Outcome mark(Change.UpdateStatus change) throws SQLException {
    mark.setString(1, change.status().storedName());
    mark.setInt(2, change.attempts());
    SqliteRowCodec.bindTime(mark, 3, change.claimExpiresAt(), Row.NONE);
    SqliteRowCodec.bindTime(mark, 4, change.processingDeadline(), Row.NONE);
    mark.setInt(5, SqliteRowCodec.flag(change.deadlineExtended()));
    mark.setInt(6, SqliteRowCodec.flag(change.committed()));
    mark.setLong(7, change.key());
    return ofExisting(mark);
  }

  private Outcome prove(Change.ConfirmOffset change) throws SQLException {
    prove.setLong(1, change.key());
    return ofExisting(prove);
  }

  private Outcome leave(Change.Forward change) throws SQLException {
    byte[] payload = change.payload();
    PreparedStatement statement = payload == null ? leave : leaveWithPayload;
    statement.setString(1, change.status().storedName());
    statement.setString(2, change.destination().topic());
    statement.setString(3, SqliteRowCodec.cluster(change.destination()));
    statement.setString(4, SqliteRowCodec.headers(change.destination()));
    if (payload == null) {
      statement.setLong(5, change.key());
    } else {
      statement.setBytes(5, payload);
      statement.setLong(6, change.key());
    }
    return ofExisting(statement);
  }

  private Outcome delete(Change.Delete change) throws SQLException {
    if (change.tombstoneUntil() != Row.NONE) {
      remember(new Tombstone(Ids.fingerprint(change.id()), change.tombstoneUntil()));
    }
    delete.setLong(1, change.key());
    return ofExisting(delete);
  }

  void remember(Tombstone stone) throws SQLException {
    tombstone.setLong(1, stone.until());
    tombstone.setLong(2, stone.id().high());
    tombstone.setLong(3, stone.id().low());
    tombstone.executeUpdate();
  }

  private Outcome consumed(Change.AdvanceWatermark change) throws SQLException {
    RecordIdentity last = change.last();
    if (last == null) {
      return watermark(consumed, change.partition(), change.next());
    }
    consumedUpTo.setLong(7, last.offset());
    consumedUpTo.setInt(8, last.leaderEpoch());
    consumedUpTo.setLong(9, last.timestamp());
    return watermark(consumedUpTo, change.partition(), change.next());
  }

  private static Outcome watermark(PreparedStatement statement, SourcePartition of, long offset)
      throws SQLException {
    statement.setString(1, of.cluster());
    statement.setString(2, of.group());
    statement.setString(3, of.topicId());
    statement.setString(4, of.topic());
    statement.setInt(5, of.partition());
    statement.setLong(6, offset);
    statement.executeUpdate();
    return Outcome.APPLIED;
  }

  private static Outcome ofExisting(PreparedStatement statement) throws SQLException {
    return statement.executeUpdate() == 0 ? Outcome.MISSING : Outcome.APPLIED;
  }
}
