package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.StoredDestination;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/// Writer of changes, one prepared statement for each kind, in the transaction of its connection.
final class ChangeWriter {
  private static final String UPDATE_STATUS =
      """
      UPDATE activation SET status = ?, attempts = ?, claim_expires_at = ?, \
      processing_deadline = ?, deadline_extended = ?, committed = ?, parked_until = NULL
      WHERE key = ?
      """;

  private static final String CONFIRM_OFFSET = "UPDATE activation SET committed = 1 WHERE key = ?";

  private static final String CHANGE_DELAY =
      "UPDATE activation SET delay_until = ?, parked_until = NULL WHERE key = ?";

  private static final String CHANGE_PRIORITY =
      "UPDATE activation SET priority = ?, parked_until = ? WHERE key = ?";

  private static final String MARK_FORWARDED =
      """
      UPDATE activation SET status = ?, forward_topic = ?, forward_cluster = ?, \
      forward_headers = ?, parked_until = NULL
      WHERE key = ?
      """;

  private static final String MARK_FORWARDED_WITH_PAYLOAD =
      """
      UPDATE activation SET status = ?, forward_topic = ?, forward_cluster = ?, \
      forward_headers = ?, parked_until = NULL, payload = ?
      WHERE key = ?
      """;

  private static final String RETRY =
      """
      UPDATE activation SET status = ?, attempts = 0, claim_expires_at = NULL, \
      processing_deadline = NULL, deadline_extended = 0, parked_until = NULL, delay_until = ?, \
      payload = ?
      WHERE key = ?
      """;

  private static final String DELETE = "DELETE FROM activation WHERE key = ?";

  private static final String TOMBSTONE =
      """
      INSERT INTO tombstone (until, high, low) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
      """;

  private static final String ADVANCE_WATERMARK =
      """
      INSERT INTO watermark (cluster, grp, topic_id, topic, partition_number, next)
      VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET next = excluded.next,
        last_offset = CASE WHEN last_offset < excluded.next THEN last_offset END
      """;

  private static final String ADVANCE_WATERMARK_TO_RECORD =
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
  private final PreparedStatement updateStatus;
  private final PreparedStatement confirmOffset;
  private final PreparedStatement changeDelay;
  private final PreparedStatement changePriority;
  private final PreparedStatement forward;
  private final PreparedStatement forwardWithPayload;
  private final PreparedStatement retry;
  private final PreparedStatement delete;
  private final PreparedStatement tombstone;
  private final PreparedStatement advanceWatermark;
  private final PreparedStatement advanceWatermarkToRecord;
  private final PreparedStatement offsetCommitted;
  private final SqliteSchedules schedules;

  ChangeWriter(Statements statements, SqliteRowCodec codec, SqliteSchedules schedules)
      throws SQLException {
    this.codec = codec;
    this.schedules = schedules;
    insert = statements.prepare(SqliteRowCodec.INSERT);
    updateStatus = statements.prepare(UPDATE_STATUS);
    confirmOffset = statements.prepare(CONFIRM_OFFSET);
    changeDelay = statements.prepare(CHANGE_DELAY);
    changePriority = statements.prepare(CHANGE_PRIORITY);
    forward = statements.prepare(MARK_FORWARDED);
    forwardWithPayload = statements.prepare(MARK_FORWARDED_WITH_PAYLOAD);
    retry = statements.prepare(RETRY);
    delete = statements.prepare(DELETE);
    tombstone = statements.prepare(TOMBSTONE);
    advanceWatermark = statements.prepare(ADVANCE_WATERMARK);
    advanceWatermarkToRecord = statements.prepare(ADVANCE_WATERMARK_TO_RECORD);
    offsetCommitted = statements.prepare(OFFSET_COMMITTED);
  }

  ChangeOutcome apply(Change change) throws SQLException {
    return switch (change) {
      case Change.Insert c -> insert(c.row());
      case Change.Fire c -> schedules.apply(c.step()) ? insert(c.row()) : ChangeOutcome.SUPERSEDED;
      case Change.UpdateStatus c -> updateStatus(c);
      case Change.ConfirmOffset c -> confirmOffset(c);
      case Change.ChangeDelay c -> changeDelay(c);
      case Change.ChangePriority c -> changePriority(c);
      case Change.Forward c -> forward(c);
      case Change.Retry c -> retry(c.row());
      case Change.Delete c -> delete(c);
      case Change.AdvanceWatermark c -> advanceWatermark(c);
      case Change.OffsetCommitted c -> watermark(offsetCommitted, c.partition(), c.committed());
    };
  }

  private ChangeOutcome insert(Row row) throws SQLException {
    codec.bind(insert, row);
    return insert.executeUpdate() == 0 ? ChangeOutcome.DUPLICATE : ChangeOutcome.APPLIED;
  }

  private ChangeOutcome updateStatus(Change.UpdateStatus change) throws SQLException {
    updateStatus.setString(1, change.status().storedName());
    updateStatus.setInt(2, change.attempts());
    SqliteRowCodec.bindTime(updateStatus, 3, change.claimExpiresAt(), Row.NONE);
    SqliteRowCodec.bindTime(updateStatus, 4, change.processingDeadline(), Row.NONE);
    updateStatus.setInt(5, SqliteRowCodec.flag(change.deadlineExtended()));
    updateStatus.setInt(6, SqliteRowCodec.flag(change.committed()));
    updateStatus.setLong(7, change.key());
    return ofExisting(updateStatus);
  }

  private ChangeOutcome confirmOffset(Change.ConfirmOffset change) throws SQLException {
    confirmOffset.setLong(1, change.key());
    return ofExisting(confirmOffset);
  }

  private ChangeOutcome changeDelay(Change.ChangeDelay change) throws SQLException {
    SqliteRowCodec.bindTime(changeDelay, 1, change.delayUntil(), 0);
    changeDelay.setLong(2, change.key());
    return ofExisting(changeDelay);
  }

  private ChangeOutcome changePriority(Change.ChangePriority change) throws SQLException {
    changePriority.setInt(1, change.priority());
    SqliteRowCodec.bindTime(changePriority, 2, change.parkedUntil(), Row.NONE);
    changePriority.setLong(3, change.key());
    return ofExisting(changePriority);
  }

  private ChangeOutcome forward(Change.Forward change) throws SQLException {
    byte[] payload = change.payload();
    PreparedStatement statement = payload == null ? forward : forwardWithPayload;
    statement.setString(1, change.status().storedName());
    statement.setString(2, change.destination().topic());
    statement.setString(3, StoredDestination.cluster(change.destination()));
    statement.setString(4, StoredDestination.headers(change.destination()));
    if (payload == null) {
      statement.setLong(5, change.key());
    } else {
      statement.setBytes(5, payload);
      statement.setLong(6, change.key());
    }
    return ofExisting(statement);
  }

  private ChangeOutcome retry(Row row) throws SQLException {
    retry.setString(1, row.status().storedName());
    SqliteRowCodec.bindTime(retry, 2, row.activation().delayUntil(), 0);
    retry.setBytes(3, row.activation().payload());
    retry.setLong(4, row.key());
    return ofExisting(retry);
  }

  private ChangeOutcome delete(Change.Delete change) throws SQLException {
    if (change.tombstoneUntil() != Row.NONE) {
      insertTombstone(new Tombstone(Ids.fingerprint(change.id()), change.tombstoneUntil()));
    }
    delete.setLong(1, change.key());
    return ofExisting(delete);
  }

  void insertTombstone(Tombstone value) throws SQLException {
    tombstone.setLong(1, value.until());
    tombstone.setLong(2, value.id().high());
    tombstone.setLong(3, value.id().low());
    tombstone.executeUpdate();
  }

  private ChangeOutcome advanceWatermark(Change.AdvanceWatermark change) throws SQLException {
    RecordIdentity last = change.last();
    if (last == null) {
      return watermark(advanceWatermark, change.partition(), change.next());
    }
    advanceWatermarkToRecord.setLong(7, last.offset());
    advanceWatermarkToRecord.setInt(8, last.leaderEpoch());
    advanceWatermarkToRecord.setLong(9, last.timestamp());
    return watermark(advanceWatermarkToRecord, change.partition(), change.next());
  }

  private static ChangeOutcome watermark(
      PreparedStatement statement, SourcePartition of, long offset) throws SQLException {
    statement.setString(1, of.cluster());
    statement.setString(2, of.group());
    statement.setString(3, of.topicId());
    statement.setString(4, of.topic());
    statement.setInt(5, of.partition());
    statement.setLong(6, offset);
    statement.executeUpdate();
    return ChangeOutcome.APPLIED;
  }

  private static ChangeOutcome ofExisting(PreparedStatement statement) throws SQLException {
    return statement.executeUpdate() == 0 ? ChangeOutcome.MISSING : ChangeOutcome.APPLIED;
  }
}
