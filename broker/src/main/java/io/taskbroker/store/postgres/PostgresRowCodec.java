package io.taskbroker.store.postgres;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.RowNames;
import io.taskbroker.store.StoredDestination;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Codec of [Row] for the table `taskbroker_activation`: the columns of the reference
/// (reference-spec 4.2) and our own. Stateless except for interned names of a read.
///
/// Times have millisecond precision. A time after the year 9999 means "never" and is stored as the
/// end of that year.
final class PostgresRowCodec {
  /// Null in an array of times.
  static final long NULL = Long.MIN_VALUE;

  private static final long FIRST_TIME = -62_135_596_800_000L; // the year 1
  private static final long LAST_TIME = 253_402_300_799_000L; // the end of the year 9999

  /// Columns that [#read] expects, of a table `t`.
  static final String COLUMNS =
      """
      t.key, t.id, t.application, t.parked_until, t.status, t.processing_attempts, %s, %s, \
      t.deadline_extended, t.committed, t.at_most_once, t.derived, t.on_attempts_exceeded, \
      t.processing_deadline_duration, %s, %s, %s, %s, t.topic, t.partition, t.kafka_offset, \
      t.namespace, t.taskname, t.forward_topic, t.forward_cluster, t.forward_headers, \
      t.priority, t.activation\
      """
          .formatted(
              millis("claim_expires_at"),
              millis("processing_deadline"),
              millis("received_at"),
              millis("expires_at"),
              millis("delay_until"),
              millis("added_at"));

  static final String INSERT =
      """
      INSERT INTO taskbroker_activation (partition_id, key, id, application, parked_until, \
      status, processing_attempts, claim_expires_at, processing_deadline, deadline_extended, \
      committed, at_most_once, derived, on_attempts_exceeded, bucket, processing_deadline_duration, \
      received_at, expires_at, delay_until, added_at, topic, partition, kafka_offset, namespace, \
      taskname, forward_topic, forward_cluster, forward_headers, priority, activation)
      SELECT partition_id, key, id, application, nullif(parked_until, -1), status, attempts, \
      %s, %s, extended, committed, once, derived, policy, bucket, seconds, %s, %s, %s, %s, topic, \
      partition, record_offset, namespace, taskname, forward_topic, forward_cluster, \
      forward_headers, priority, payload
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::int[], \
      ?::bigint[], ?::bigint[], ?::bool[], ?::bool[], ?::bool[], ?::bool[], ?::int[], ?::int[], \
      ?::int[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::int[], \
      ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::int2[], \
      ?::bytea[]) \
      AS u(partition_id, key, id, application, parked_until, status, attempts, claim, deadline, \
      extended, committed, once, derived, policy, bucket, seconds, received, expires, delay, added, \
      topic, partition, record_offset, namespace, taskname, forward_topic, forward_cluster, \
      forward_headers, priority, payload)
      ON CONFLICT (partition_id, key) DO NOTHING
      RETURNING partition_id, key, octet_length(activation) AS size\
      """
          .formatted(
              time("claim"),
              time("deadline"),
              time("received"),
              time("expires"),
              time("delay"),
              time("added"));

  final RowNames names = new RowNames();

  /// Binds the parameters of [#INSERT].
  static void bind(Binder binder, List<Row> rows, int[] partitionIds) throws SQLException {
    int n = rows.size();
    long[] keys = new long[n];
    String[] ids = new String[n];
    String[] applications = new String[n];
    long[] parked = new long[n];
    String[] statuses = new String[n];
    int[] attempts = new int[n];
    long[] claims = new long[n];
    long[] deadlines = new long[n];
    boolean[] extended = new boolean[n];
    boolean[] committed = new boolean[n];
    boolean[] once = new boolean[n];
    boolean[] derived = new boolean[n];
    int[] policies = new int[n];
    int[] buckets = new int[n];
    int[] seconds = new int[n];
    long[] received = new long[n];
    long[] expires = new long[n];
    long[] delays = new long[n];
    long[] added = new long[n];
    String[] topics = new String[n];
    int[] partitions = new int[n];
    long[] offsets = new long[n];
    String[] namespaces = new String[n];
    String[] tasknames = new String[n];
    @Nullable String[] forwardTopics = new String[n];
    @Nullable String[] forwardClusters = new String[n];
    @Nullable String[] forwardHeaders = new String[n];
    short[] priorities = new short[n];
    byte[][] payloads = new byte[n][];
    for (int i = 0; i < n; i++) {
      Row row = rows.get(i);
      Activation activation = row.activation();
      keys[i] = row.key();
      ids[i] = activation.id();
      applications[i] = activation.application();
      parked[i] = row.parkedUntil();
      statuses[i] = row.status().storedName();
      attempts[i] = row.attempts();
      claims[i] = time(row.claimExpiresAt(), Row.NONE);
      deadlines[i] = time(row.processingDeadline(), Row.NONE);
      extended[i] = row.deadlineExtended();
      committed[i] = row.committed();
      once[i] = activation.atMostOnce();
      derived[i] = activation.derived();
      policies[i] = activation.failurePolicy().number();
      buckets[i] = activation.bucket();
      seconds[i] = activation.deadlineSeconds();
      received[i] = time(activation.receivedAt(), NULL);
      expires[i] = time(activation.expiresAt(), Activation.NEVER);
      delays[i] = time(activation.delayUntil(), 0);
      added[i] = time(row.addedAt(), NULL);
      topics[i] = activation.origin().topic();
      partitions[i] = activation.origin().partition();
      offsets[i] = activation.origin().offset();
      namespaces[i] = activation.namespace();
      tasknames[i] = activation.taskname();
      Destination destination = row.forwardTo();
      if (destination != null) {
        forwardTopics[i] = destination.topic();
        forwardClusters[i] = StoredDestination.cluster(destination);
        forwardHeaders[i] = StoredDestination.headers(destination);
      }
      priorities[i] = activation.priority();
      payloads[i] = activation.payload();
    }
    binder.set(partitionIds).set(keys).set(ids).set(applications).set(parked).set(statuses);
    binder.set(attempts).set(claims).set(deadlines).set(extended).set(committed).set(once);
    binder.set(derived).set(policies).set(buckets).set(seconds).set(received).set(expires);
    binder.set(delays).set(added).set(topics).set(partitions).set(offsets).set(namespaces);
    binder.set(tasknames).set(forwardTopics).set(forwardClusters).set(forwardHeaders);
    binder.set(priorities).set(payloads);
  }

  /// Decodes a row from a result with [#COLUMNS], starting at the first column.
  Row read(ResultSet result) throws SQLException {
    byte[] payload = result.getBytes(28);
    boolean derived = result.getBoolean(12);
    Activation activation =
        new Activation(
            result.getString(2),
            names.shared(result.getString(3)),
            names.shared(result.getString(22)),
            names.shared(result.getString(23)),
            payload,
            new Origin(names.shared(result.getString(19)), result.getInt(20), result.getLong(21)),
            result.getLong(15),
            millis(result, 16, Activation.NEVER),
            millis(result, 17, 0),
            result.getInt(14),
            FailurePolicy.ofNumber(result.getInt(13)),
            result.getBoolean(11),
            derived || (result.getObject(12) == null && isRetry(payload)),
            (byte) result.getInt(27));
    return new Row(
        result.getLong(1),
        activation,
        Status.ofStoredName(result.getString(5)),
        result.getLong(18),
        result.getInt(6),
        millis(result, 7, Row.NONE),
        millis(result, 8, Row.NONE),
        result.getBoolean(9),
        result.getBoolean(10),
        millis(result, 4, Row.NONE),
        StoredDestination.of(result.getString(24), result.getString(25), result.getString(26)));
  }

  /// Element of an array of times; [#NULL] for `none`.
  static long time(long millis, long none) {
    return millis == none ? NULL : Math.clamp(millis, FIRST_TIME, LAST_TIME);
  }

  /// SQL expression that converts such an element to a timestamp.
  static String time(String millis) {
    return "to_timestamp(nullif(%s, %d) / 1000::float8)".formatted(millis, NULL);
  }

  /// Time of a column; `none` for NULL.
  static long millis(ResultSet result, int index, long none) throws SQLException {
    long millis = result.getLong(index);
    return millis == 0 && result.wasNull() ? none : millis;
  }

  /// SQL expression for the milliseconds since the epoch of a column.
  private static String millis(String column) {
    return "floor(extract(epoch FROM t.%s) * 1000)::bigint".formatted(column);
  }

  /// Whether the payload is a retry that the reference published, whose id needs a tombstone (H8).
  /// False if it cannot be decoded.
  private static boolean isRetry(byte[] payload) {
    try {
      return TaskActivation.parseFrom(payload).getRetryState().getAttempts() != 0;
    } catch (InvalidProtocolBufferException _) {
      return false;
    }
  }
}
