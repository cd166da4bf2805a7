package io.taskbroker.store.postgres;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.Status;

/// SQL statements of a commit. One commit sends all of its statements in one round trip.
final class Sql {
  /// Class of the advisory locks on broker epochs ("tbrn"). A commit holds the lock of its own
  /// epoch shared. A takeover from an epoch holds it exclusively: every commit of that epoch has
  /// then ended, or will see the new owner (H10).
  static final int EPOCH_LOCKS = 0x7462726E;

  /// Class of the advisory locks on member slots ("tbst").
  static final int MEMBER_SLOT_LOCKS = 0x74627374;

  /// Partitions of a list that a broker epoch owns.
  static final String OWNED =
      """
      SELECT partition_id FROM taskbroker_owned_partition
      WHERE partition_id = ANY (?) AND epoch = ?
      """;

  /// Rows of a list of keys that exist.
  static final String STORED =
      "SELECT key FROM taskbroker_activation WHERE partition_id = ? AND key = ANY (?)";

  static final String LOCK_EPOCH_SHARED =
      "SELECT pg_advisory_xact_lock_shared(%d, ?)".formatted(EPOCH_LOCKS);

  /// Refuses a batch that was committed before, writes to a partition of another broker, arrives
  /// after its successors, or lacks its predecessor (H6, H10, docs/adr/0012). It is a statement of
  /// its own, so that it sees every commit that ended before this one got the lock.
  static final String GUARD =
      """
      INSERT INTO taskbroker_batch (epoch, number, foreign_partitions, successors, \
      missing_predecessor)
      SELECT g.epoch, g.number,
        cardinality(g.partition_ids)
          - (SELECT count(*) FROM taskbroker_owned_partition p
            WHERE p.partition_id = ANY (g.partition_ids) AND p.epoch = g.epoch),
        (SELECT count(*) FROM taskbroker_batch b WHERE b.epoch = g.epoch AND b.number > g.number),
        CASE WHEN g.predecessor < 0 OR EXISTS (
          SELECT FROM taskbroker_batch b WHERE b.epoch = g.epoch AND b.number = g.predecessor)
        THEN 0 ELSE 1 END
      FROM (SELECT ?::bigint AS epoch, ?::bigint AS number, ?::int[] AS partition_ids, \
      ?::bigint AS predecessor) g\
      """;

  /// Keeps the last two batches of an epoch: a late batch finds its own number or a successor.
  static final String DELETE_OLD_BATCH =
      "DELETE FROM taskbroker_batch WHERE epoch = ? AND number = ?";

  static final String UPDATE_STATUS =
      """
      UPDATE taskbroker_activation t SET status = u.status, processing_attempts = u.attempts, \
      claim_expires_at = %s, processing_deadline = %s, deadline_extended = u.extended, \
      committed = u.committed, parked_until = NULL
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::int[], ?::bigint[], ?::bigint[], \
      ?::bool[], ?::bool[]) AS u(partition_id, key, status, attempts, claim, deadline, \
      extended, committed)
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, 0 AS size\
      """
          .formatted(PostgresRowCodec.time("u.claim"), PostgresRowCodec.time("u.deadline"));

  static final String CONFIRM_OFFSET =
      """
      UPDATE taskbroker_activation t SET committed = TRUE
      FROM unnest(?::int[], ?::bigint[]) AS u(partition_id, key)
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, 0 AS size\
      """;

  static final String CHANGE_DELAY =
      """
      UPDATE taskbroker_activation t SET delay_until = %s, parked_until = NULL
      FROM unnest(?::int[], ?::bigint[], ?::bigint[]) AS u(partition_id, key, delay)
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, 0 AS size\
      """
          .formatted(PostgresRowCodec.time("u.delay"));

  static final String CHANGE_PRIORITY =
      """
      UPDATE taskbroker_activation t SET priority = u.priority, \
      parked_until = nullif(u.parked_until, %d)
      FROM unnest(?::int[], ?::bigint[], ?::int2[], ?::bigint[]) \
      AS u(partition_id, key, priority, parked_until)
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, 0 AS size\
      """
          .formatted(Row.NONE);

  static final String FORWARD =
      """
      UPDATE taskbroker_activation t SET status = u.status, forward_topic = u.topic, \
      forward_cluster = u.cluster, forward_headers = u.headers, parked_until = NULL
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[]) \
      AS u(partition_id, key, status, topic, cluster, headers)
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, 0 AS size\
      """;

  /// Joins the old version of the row to compute the growth in bytes.
  static final String FORWARD_WITH_PAYLOAD =
      """
      UPDATE taskbroker_activation t SET status = u.status, forward_topic = u.topic, \
      forward_cluster = u.cluster, forward_headers = u.headers, parked_until = NULL, \
      activation = u.payload
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bytea[]) \
      AS u(partition_id, key, status, topic, cluster, headers, payload)
      JOIN taskbroker_activation o ON o.partition_id = u.partition_id AND o.key = u.key
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, \
      octet_length(t.activation) - octet_length(o.activation) AS size\
      """;

  /// Joins the old version of the row to compute the growth in bytes.
  static final String RETRY =
      """
      UPDATE taskbroker_activation t SET status = u.status, processing_attempts = 0, \
      claim_expires_at = NULL, processing_deadline = NULL, deadline_extended = FALSE, \
      parked_until = NULL, delay_until = %s, activation = u.payload
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::bigint[], ?::bytea[]) \
      AS u(partition_id, key, status, delay, payload)
      JOIN taskbroker_activation o ON o.partition_id = u.partition_id AND o.key = u.key
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, \
      octet_length(t.activation) - octet_length(o.activation) AS size\
      """
          .formatted(PostgresRowCodec.time("u.delay"));

  static final String DELETE =
      """
      DELETE FROM taskbroker_activation t
      USING unnest(?::int[], ?::bigint[]) AS u(partition_id, key)
      WHERE t.partition_id = u.partition_id AND t.key = u.key
      RETURNING t.partition_id, t.key, octet_length(t.activation) AS size\
      """;

  static final String INSERT_TOMBSTONES =
      """
      INSERT INTO taskbroker_tombstone (partition_id, until, high, low)
      SELECT * FROM unnest(?::int[], ?::bigint[], ?::bigint[], ?::bigint[]) ON CONFLICT DO NOTHING\
      """;

  static final String INSERT_WATERMARKS =
      """
      INSERT INTO taskbroker_watermark (partition_id, cluster, consumer_group, topic_id, version, \
      next, committed, last_offset, last_epoch, last_timestamp)
      SELECT partition_id, cluster, consumer_group, topic_id, version, next, \
      nullif(committed, -1), nullif(last_offset, -1), last_epoch, last_timestamp
      FROM unnest(?::int[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], \
      ?::bigint[], ?::int[], ?::bigint[]) \
      AS u(partition_id, cluster, consumer_group, topic_id, version, next, committed, last_offset, \
      last_epoch, last_timestamp)\
      """;

  static final String DELETE_OLD_WATERMARKS =
      """
      DELETE FROM taskbroker_watermark w
      USING unnest(?::int[], ?::text[], ?::text[], ?::text[], ?::bigint[]) \
      AS u(partition_id, cluster, consumer_group, topic_id, version)
      WHERE w.partition_id = u.partition_id AND w.cluster = u.cluster \
      AND w.consumer_group = u.consumer_group AND w.topic_id = u.topic_id AND w.version = u.version\
      """;

  /// Counts at-most-once tasks as handed out which the lost transactions may have handed out. Sets
  /// their deadline to now, so that their report can still arrive (G3).
  static final String COUNT_AS_HANDED_OUT =
      """
      UPDATE taskbroker_activation SET status = '%s', processing_deadline = %s, \
      parked_until = NULL
      WHERE partition_id = ANY (?::int[]) AND at_most_once AND forward_topic IS NULL \
      AND status IN ('%s', '%s') AND (delay_until IS NULL OR delay_until <= %s)\
      """
          .formatted(
              Status.PROCESSING.storedName(),
              PostgresRowCodec.time("?::bigint"),
              Status.PENDING.storedName(),
              Status.DELAY.storedName(),
              PostgresRowCodec.time("?::bigint"));

  static final String DELETE_REPORTS = "DELETE FROM taskbroker_remote_report WHERE key = ANY (?)";

  /// Reports of a failed attempt say nothing about the next one; a completion ends the task.
  static final String DELETE_FAILURES =
      "DELETE FROM taskbroker_remote_report WHERE key = ANY (?) AND status <> 'Complete'";

  private Sql() {}

  /// Makes the steps of schedules that are as expected and that nobody else is changing, and stores
  /// the tasks of their slots.
  private static final String FIRE =
      """
      WITH s AS (
        SELECT * FROM unnest(?::bigint[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], \
      ?::bytea[]) AS s(key, name, version, next_version, due, state)),
      o AS (
        SELECT t.name FROM taskbroker_schedule t
        JOIN s ON t.name = s.name AND t.version = s.version FOR UPDATE OF t SKIP LOCKED),
      m AS (
        UPDATE taskbroker_schedule t SET version = s.next_version, due_at = nullif(s.due, %d), \
      state = s.state
        FROM s JOIN o ON s.name = o.name
        WHERE t.name = s.name AND t.version = s.version RETURNING s.key),
      d AS (%s)
      """
          .formatted(
              ScheduleRow.NEVER,
              PostgresRowCodec.INSERT.replace(
                  "ON CONFLICT", "WHERE key IN (SELECT m.key FROM m) ON CONFLICT"));

  /// Statement for one kind of row change. Its extra last parameter is the expected number of rows.
  /// It returns one line per partition: id, row count, bytes, and the keys of the changed rows if
  /// there are fewer than expected. One line per row could block: the reply must fit into the
  /// socket buffers while the rest of the script is still being sent.
  static String of(CommitSegment.Kind kind) {
    return """
    %s
    SELECT d.partition_id, count(*)::int, sum(d.size)::bigint,
      CASE WHEN (SELECT count(*) FROM d) < ? THEN array_agg(d.key) END
    FROM d GROUP BY d.partition_id\
    """
        .formatted(
            kind == CommitSegment.Kind.FIRE ? FIRE : "WITH d AS (%s)".formatted(change(kind)));
  }

  private static String change(CommitSegment.Kind kind) {
    return switch (kind) {
      case INSERT, FIRE -> PostgresRowCodec.INSERT;
      case UPDATE_STATUS -> UPDATE_STATUS;
      case CONFIRM_OFFSET -> CONFIRM_OFFSET;
      case CHANGE_DELAY -> CHANGE_DELAY;
      case CHANGE_PRIORITY -> CHANGE_PRIORITY;
      case FORWARD -> FORWARD;
      case FORWARD_WITH_PAYLOAD -> FORWARD_WITH_PAYLOAD;
      case RETRY -> RETRY;
      case DELETE -> DELETE;
    };
  }
}
