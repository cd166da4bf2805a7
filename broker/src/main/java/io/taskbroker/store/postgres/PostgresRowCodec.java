package io.taskbroker.store.postgres;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.TaskActivation;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// How a [Row] lies in the table `taskbroker_activation`, whose columns are those of the reference
/// (reference-spec 4.2) and some more. Stateless but for what reads share.
///
/// Times are kept to the millisecond; what lies after the year 9999 is for ever, and kept as its
/// end.
final class PostgresRowCodec {
  /// A time that is not there, in an array of times.
  static final long NULL = Long.MIN_VALUE;

  private static final long FIRST_TIME = -62_135_596_800_000L; // the year 1
  private static final long LAST_TIME = 253_402_300_799_000L; // the end of the year 9999

  /// What [#read] reads, of a table `t`.
  static final String COLUMNS =
      """
      t.key, t.id, t.application, t.parked_until, t.status, t.processing_attempts, %s, %s, \
      t.deadline_extended, t.committed, t.at_most_once, t.derived, t.on_attempts_exceeded, \
      t.processing_deadline_duration, %s, %s, %s, %s, t.topic, t.partition, t.kafka_offset, \
      t.namespace, t.taskname, t.leaving_topic, t.leaving_cluster, t.leaving_headers, t.activation\
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
      INSERT INTO taskbroker_activation (slot, key, id, application, parked_until, status, \
      processing_attempts, claim_expires_at, processing_deadline, deadline_extended, committed, \
      at_most_once, derived, on_attempts_exceeded, bucket, processing_deadline_duration, \
      received_at, expires_at, delay_until, added_at, topic, partition, kafka_offset, namespace, \
      taskname, leaving_topic, leaving_cluster, leaving_headers, activation)
      SELECT slot, key, id, application, nullif(parked_until, -1), status, attempts, %s, %s, \
      extended, committed, once, derived, policy, bucket, seconds, %s, %s, %s, %s, topic, \
      partition, record_offset, namespace, taskname, leaving_topic, leaving_cluster, \
      leaving_headers, payload
      FROM unnest(?::int[], ?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::int[], \
      ?::bigint[], ?::bigint[], ?::bool[], ?::bool[], ?::bool[], ?::bool[], ?::int[], ?::int[], \
      ?::int[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::int[], \
      ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bytea[]) \
      AS u(slot, key, id, application, parked_until, status, attempts, claim, deadline, extended, \
      committed, once, derived, policy, bucket, seconds, received, expires, delay, added, topic, \
      partition, record_offset, namespace, taskname, leaving_topic, leaving_cluster, \
      leaving_headers, payload)
      ON CONFLICT (slot, key) DO NOTHING RETURNING slot, key, octet_length(activation) AS size\
      """
          .formatted(
              time("claim"),
              time("deadline"),
              time("received"),
              time("expires"),
              time("delay"),
              time("added"));

  private static final int MAX_SHARED = 10_000;

  /// The names that the rows of a read have in common: a million of them hold a name once.
  private final Map<String, String> shared = new HashMap<>();

  /// Binds the parameters of [#INSERT].
  static void bind(Binder binder, List<Row> rows, int[] slots) throws SQLException {
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
    @Nullable String[] leavingTopics = new String[n];
    @Nullable String[] leavingClusters = new String[n];
    @Nullable String[] leavingHeaders = new String[n];
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
      Destination leaving = row.forwardTo();
      if (leaving != null) {
        leavingTopics[i] = leaving.topic();
        leavingClusters[i] = cluster(leaving);
        leavingHeaders[i] = headers(leaving);
      }
      payloads[i] = activation.payload();
    }
    binder.set(slots).set(keys).set(ids).set(applications).set(parked).set(statuses);
    binder.set(attempts).set(claims).set(deadlines).set(extended).set(committed).set(once);
    binder.set(derived).set(policies).set(buckets).set(seconds).set(received).set(expires);
    binder.set(delays).set(added).set(topics).set(partitions).set(offsets).set(namespaces);
    binder.set(tasknames).set(leavingTopics).set(leavingClusters).set(leavingHeaders);
    binder.set(payloads);
  }

  /// The row of a result that has [#COLUMNS], beginning at the first.
  Row read(ResultSet result) throws SQLException {
    byte[] payload = result.getBytes(27);
    boolean derived = result.getBoolean(12);
    Activation activation =
        new Activation(
            result.getString(2),
            shared(result.getString(3)),
            shared(result.getString(22)),
            shared(result.getString(23)),
            payload,
            new Origin(shared(result.getString(19)), result.getInt(20), result.getLong(21)),
            result.getLong(15),
            millis(result, 16, Activation.NEVER),
            millis(result, 17, 0),
            result.getInt(14),
            FailurePolicy.ofNumber(result.getInt(13)),
            result.getBoolean(11),
            derived || (result.getObject(12) == null && isRetry(payload)));
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
        leaving(result.getString(24), result.getString(25), result.getString(26)));
  }

  /// Equal texts become one object.
  String shared(String name) {
    if (shared.size() >= MAX_SHARED) {
      shared.clear();
    }
    String first = shared.putIfAbsent(name, name);
    return first == null ? name : first;
  }

  /// A time for an array of times, which is [#NULL] for `none`.
  static long time(long millis, long none) {
    return millis == none ? NULL : Math.clamp(millis, FIRST_TIME, LAST_TIME);
  }

  /// The expression that makes a time of such an element.
  static String time(String millis) {
    return "to_timestamp(nullif(%s, %d) / 1000::float8)".formatted(millis, NULL);
  }

  /// A time, or `none` for NULL.
  static long millis(ResultSet result, int index, long none) throws SQLException {
    long millis = result.getLong(index);
    return millis == 0 && result.wasNull() ? none : millis;
  }

  /// The expression for milliseconds since the epoch of a column.
  private static String millis(String column) {
    return "floor(extract(epoch FROM t.%s) * 1000)::bigint".formatted(column);
  }

  /// The cluster of a destination; null if it is that of the topic.
  static @Nullable String cluster(Destination destination) {
    return destination.cluster().isEmpty() ? null : destination.cluster();
  }

  /// The headers of a destination as a JSON object; null if there are none.
  static @Nullable String headers(Destination destination) {
    return destination.headers().isEmpty()
        ? null
        : Json.MAPPER.writeValueAsString(destination.headers());
  }

  private static @Nullable Destination leaving(
      @Nullable String topic, @Nullable String cluster, @Nullable String headers) {
    if (topic == null) {
      return null;
    }
    return new Destination(
        topic,
        cluster == null ? "" : cluster,
        headers == null ? Map.of() : Json.MAPPER.readValue(headers, Json.HEADERS));
  }

  /// Whether it is a retry of the reference's, whose id leaves a tombstone (H8). What cannot be
  /// decoded is none.
  private static boolean isRetry(byte[] payload) {
    try {
      return TaskActivation.parseFrom(payload).getRetryState().getAttempts() != 0;
    } catch (InvalidProtocolBufferException _) {
      return false;
    }
  }

  /// Loaded with the first destination that has headers: few have.
  private static final class Json {
    static final JsonMapper MAPPER = new JsonMapper();
    static final TypeReference<Map<String, String>> HEADERS = new TypeReference<>() {};
  }
}
