package io.taskbroker.store.postgres;

import io.taskbroker.activation.Status;

/// The statements of a commit. Those of one commit go to the server together.
final class Sql {
  /// The class of the advisory locks on the numbers of runs ("tbrn"): a commit has that of its run
  /// shared, and who takes a place from a run has it alone, and so knows of every commit of that
  /// run whether it is over or will see the change (H10).
  static final int RUN_LOCKS = 0x7462726E;

  /// The class of the advisory locks on seats ("tbst").
  static final int SEAT_LOCKS = 0x74627374;

  /// Those of some places that are a run's own.
  static final String OWNED = "SELECT slot FROM taskbroker_place WHERE slot = ANY (?) AND run = ?";

  static final String LOCK = "SELECT pg_advisory_xact_lock_shared(%d, ?)".formatted(RUN_LOCKS);

  /// Refuses a batch that was committed before, that is of somebody else's places, that comes too
  /// late, or whose predecessor is gone (H6, H10, docs/adr/0012). It is a statement of its own, so
  /// that it sees what was committed before the lock was had.
  static final String GUARD =
      """
      INSERT INTO taskbroker_batch (run, number, foreign_places, successors, missing_predecessor)
      SELECT g.run, g.number,
        cardinality(g.slots)
          - (SELECT count(*) FROM taskbroker_place p WHERE p.slot = ANY (g.slots) AND p.run = g.run),
        (SELECT count(*) FROM taskbroker_batch b WHERE b.run = g.run AND b.number > g.number),
        CASE WHEN g.predecessor < 0 OR EXISTS (
          SELECT FROM taskbroker_batch b WHERE b.run = g.run AND b.number = g.predecessor)
        THEN 0 ELSE 1 END
      FROM (SELECT ?::bigint AS run, ?::bigint AS number, ?::int[] AS slots, \
      ?::bigint AS predecessor) g\
      """;

  /// Of the batches of a run the last two stay: one that is late meets its own number, or a
  /// successor.
  static final String FORGET = "DELETE FROM taskbroker_batch WHERE run = ? AND number = ?";

  static final String MARK =
      """
      UPDATE taskbroker_activation t SET status = u.status, processing_attempts = u.attempts, \
      claim_expires_at = %s, processing_deadline = %s, deadline_extended = u.extended, \
      committed = u.committed, parked_until = NULL
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::int[], ?::bigint[], ?::bigint[], \
      ?::bool[], ?::bool[]) AS u(slot, key, status, attempts, claim, deadline, extended, committed)
      WHERE t.slot = u.slot AND t.key = u.key RETURNING t.slot, t.key, 0 AS size\
      """
          .formatted(PostgresRowCodec.time("u.claim"), PostgresRowCodec.time("u.deadline"));

  static final String PROVE =
      """
      UPDATE taskbroker_activation t SET committed = TRUE
      FROM unnest(?::int[], ?::bigint[]) AS u(slot, key)
      WHERE t.slot = u.slot AND t.key = u.key RETURNING t.slot, t.key, 0 AS size\
      """;

  static final String LEAVE =
      """
      UPDATE taskbroker_activation t SET status = u.status, leaving_topic = u.topic, \
      leaving_cluster = u.cluster, leaving_headers = u.headers, parked_until = NULL
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[]) \
      AS u(slot, key, status, topic, cluster, headers)
      WHERE t.slot = u.slot AND t.key = u.key RETURNING t.slot, t.key, 0 AS size\
      """;

  /// Joined with the row as it was, to know by how much it grows.
  static final String LEAVE_WITH_PAYLOAD =
      """
      UPDATE taskbroker_activation t SET status = u.status, leaving_topic = u.topic, \
      leaving_cluster = u.cluster, leaving_headers = u.headers, parked_until = NULL, \
      activation = u.payload
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bytea[]) \
      AS u(slot, key, status, topic, cluster, headers, payload)
      JOIN taskbroker_activation o ON o.slot = u.slot AND o.key = u.key
      WHERE t.slot = u.slot AND t.key = u.key
      RETURNING t.slot, t.key, octet_length(t.activation) - octet_length(o.activation) AS size\
      """;

  static final String DELETE =
      """
      DELETE FROM taskbroker_activation t USING unnest(?::int[], ?::bigint[]) AS u(slot, key)
      WHERE t.slot = u.slot AND t.key = u.key RETURNING t.slot, t.key, octet_length(t.activation) AS size\
      """;

  static final String TOMBSTONE =
      """
      INSERT INTO taskbroker_tombstone (slot, until, high, low)
      SELECT * FROM unnest(?::int[], ?::bigint[], ?::bigint[], ?::bigint[]) ON CONFLICT DO NOTHING\
      """;

  static final String WATERMARK =
      """
      INSERT INTO taskbroker_watermark (slot, cluster, grp, topic_id, version, next, committed, \
      last_offset, last_epoch, last_timestamp)
      SELECT slot, cluster, grp, topic_id, version, next, nullif(committed, -1), \
      nullif(last_offset, -1), last_epoch, last_timestamp
      FROM unnest(?::int[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], \
      ?::bigint[], ?::int[], ?::bigint[]) \
      AS u(slot, cluster, grp, topic_id, version, next, committed, last_offset, last_epoch, \
      last_timestamp)\
      """;

  static final String OLD_WATERMARK =
      """
      DELETE FROM taskbroker_watermark w
      USING unnest(?::int[], ?::text[], ?::text[], ?::text[], ?::bigint[]) \
      AS u(slot, cluster, grp, topic_id, version)
      WHERE w.slot = u.slot AND w.cluster = u.cluster AND w.grp = u.grp \
      AND w.topic_id = u.topic_id AND w.version = u.version\
      """;

  /// What may run only once and may have been handed out by what the database lost counts as handed
  /// out, and is overdue, so that its report can still come in (G3).
  static final String HANDED_OUT =
      """
      UPDATE taskbroker_activation SET status = '%s', processing_deadline = %s, \
      parked_until = NULL
      WHERE slot = ANY (?::int[]) AND at_most_once AND leaving_topic IS NULL \
      AND status IN ('%s', '%s') AND (delay_until IS NULL OR delay_until <= %s)\
      """
          .formatted(
              Status.PROCESSING.storedName(),
              PostgresRowCodec.time("?::bigint"),
              Status.PENDING.storedName(),
              Status.DELAY.storedName(),
              PostgresRowCodec.time("?::bigint"));

  static final String OLD_REPORT = "DELETE FROM taskbroker_report WHERE key = ANY (?)";

  private Sql() {}

  /// The statement of a kind of change of rows, with one parameter more: how many rows it is for.
  /// It answers with slots, how many rows of each there were, their sizes, and, if there were fewer
  /// than there should be, their keys. Not with a line for each row: an answer must have room on
  /// its way while the rest of the script is still being sent.
  static String of(CommitSegment.Kind kind) {
    return """
    WITH d AS (%s)
    SELECT d.slot, count(*)::int, sum(d.size)::bigint,
      CASE WHEN (SELECT count(*) FROM d) < ? THEN array_agg(d.key) END
    FROM d GROUP BY d.slot\
    """
        .formatted(change(kind));
  }

  private static String change(CommitSegment.Kind kind) {
    return switch (kind) {
      case INSERT -> PostgresRowCodec.INSERT;
      case MARK -> MARK;
      case PROVE -> PROVE;
      case LEAVE -> LEAVE;
      case LEAVE_WITH_PAYLOAD -> LEAVE_WITH_PAYLOAD;
      case DELETE -> DELETE;
    };
  }
}
