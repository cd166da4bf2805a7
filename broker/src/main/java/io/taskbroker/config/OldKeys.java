package io.taskbroker.config;

import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.optional;

import io.taskbroker.config.ConfigNode.Scalar;
import io.taskbroker.config.ConfigNode.Section;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Keys of old configuration files (reference-spec 3.6): flat keys that moved into sections, and
/// keys of one consumed topic and one dead-letter topic.
final class OldKeys {
  /// Moved key.
  ///
  /// @param millis whether the old key is a number of milliseconds and the new one a duration
  record Moved(String from, Key<BrokerConfig, ?> to, boolean millis) {}

  static final List<Moved> MOVED =
      List.of(
          same("fetch_threads", PushKeys.FETCH_THREADS),
          same("fetch_batch_size", PushKeys.FETCH_BATCH_LENGTH),
          millis("fetch_wait_ms", PushKeys.FETCH_BACKOFF),
          same("push_threads", PushKeys.PUSH_THREADS),
          same("push_queue_size", PushKeys.PUSH_QUEUE_SIZE),
          millis("push_queue_timeout_ms", PushKeys.PUSH_QUEUE_TIMEOUT),
          millis("push_timeout_ms", PushKeys.PUSH_TIMEOUT),
          same("batch_push_updates", PushKeys.PUSH_UPDATE_BATCHED),
          same("push_update_batch_size", PushKeys.PUSH_UPDATE_BATCH_LENGTH),
          millis("push_update_interval_ms", PushKeys.PUSH_UPDATE_BATCH_INTERVAL),
          same("run_migrations", PostgresKeys.PG_RUN_MIGRATIONS),
          same("pg_host", PostgresKeys.PG_HOST),
          same("pg_port", PostgresKeys.PG_PORT),
          same("pg_username", PostgresKeys.PG_USERNAME),
          same("pg_password", PostgresKeys.PG_PASSWORD),
          same("pg_ddl_username", PostgresKeys.PG_DDL_USERNAME),
          same("pg_ddl_password", PostgresKeys.PG_DDL_PASSWORD),
          same("pg_database_name", PostgresKeys.PG_DATABASE_NAME),
          same("pg_default_database_name", PostgresKeys.PG_DEFAULT_DATABASE_NAME),
          same("pg_extra_query_params", PostgresKeys.PG_QUERY_PARAMS),
          same("db_path", StoreKeys.SQLITE_PATH),
          same("vacuum_page_count", StoreKeys.SQLITE_VACUUM_PAGE_COUNT),
          same("enable_sqlite_status_metrics", StoreKeys.SQLITE_ENABLE_STATUS_METRICS),
          same("db_query_max_retries", StoreKeys.RETRY_MAX_RETRIES),
          millis("db_query_retry_delay_ms", StoreKeys.RETRY_DELAY),
          same("database_adapter", StoreKeys.STORE_ADAPTER),
          same("db_write_failure_backoff_ms", StoreKeys.INSERT_FAILURE_BACKOFF_MS),
          same("db_insert_batch_max_len", StoreKeys.INSERT_BATCH_MAX_LENGTH),
          same("db_insert_batch_max_size", StoreKeys.INSERT_BATCH_MAX_BYTES),
          same("db_insert_batch_max_time_ms", StoreKeys.INSERT_BATCH_MAX_TIME_MS),
          same("db_max_size", StoreKeys.MAX_SIZE),
          same("max_pending_count", StoreKeys.MAX_PENDING_COUNT),
          same("max_delay_count", StoreKeys.MAX_DELAY_COUNT),
          same("max_processing_count", StoreKeys.MAX_PROCESSING_COUNT),
          same("max_processing_attempts", StoreKeys.MAX_PROCESSING_ATTEMPTS),
          same("processing_deadline_grace_sec", StoreKeys.PROCESSING_DEADLINE_GRACE_SEC));

  /// Key prefixes of the authentication for the consumed topic and the dead-letter topic.
  static final String MAIN = "kafka_";

  static final String DEADLETTER = "kafka_deadletter_";

  static final Key<Object, String> TOPIC =
      old("kafka_topic", filledText(), "taskworker", "Consumed topic");
  static final Key<Object, String> CONSUMER_GROUP =
      old("kafka_consumer_group", filledText(), "taskworker", "Consumer group");
  static final Key<Object, String> CLUSTER =
      old("kafka_cluster", filledText(), "127.0.0.1:9092", "Bootstrap servers");
  static final Key<Object, Optional<String>> DEADLETTER_CLUSTER =
      old(
          "kafka_deadletter_cluster",
          optional(filledText()),
          Optional.empty(),
          "Bootstrap servers of the dead-letter topic, if different");
  static final Key<Object, Boolean> RAW_MODE =
      old("raw_mode", bool(), false, "Whether the topic holds raw messages instead of activations");
  static final Key<Object, String> RAW_NAMESPACE = raw(RawKeys.RAW_NAMESPACE);
  static final Key<Object, String> RAW_APPLICATION = raw(RawKeys.RAW_APPLICATION);
  static final Key<Object, String> RAW_TASKNAME = raw(RawKeys.RAW_TASKNAME);
  static final Key<Object, Duration> RAW_PROCESSING_DEADLINE_DURATION =
      raw(RawKeys.RAW_PROCESSING_DEADLINE_DURATION);

  /// Keys that must not be mixed with the sections of topics and clusters.
  static final List<Key<Object, ?>> KAFKA = kafka();

  /// Keys used in raw mode only.
  static final List<Key<Object, ?>> RAW =
      List.of(RAW_NAMESPACE, RAW_APPLICATION, RAW_TASKNAME, RAW_PROCESSING_DEADLINE_DURATION);

  private OldKeys() {}

  /// Main or dead-letter authentication key for a key of a cluster.
  static <T> Key<Object, T> security(String prefix, Key<ClusterConfig, T> key) {
    return key.as(
        prefix + key.path(),
        key.fallback(),
        area -> {
          throw notShown(area);
        });
  }

  /// Moves flat keys to their new paths, unless a value is given there.
  static void move(Section root, Consumer<String> warnings) {
    for (Moved moved : MOVED) {
      ConfigNode node = root.entries().remove(moved.from());
      if (node == null || node.isNull()) {
        continue;
      }
      String to = moved.to().path();
      if (root.at(moved.to().steps()).isPresent()) {
        warnings.accept(
            "Configuration key %s is ignored, since %s is given (%s)"
                .formatted(moved.from(), to, node.place()));
        continue;
      }
      if (moved.millis() && node instanceof Scalar(BigInteger millis, var place)) {
        node = new Scalar(millis + "ms", place);
      }
      root.put(node, moved.to().steps());
    }
  }

  private static List<Key<Object, ?>> kafka() {
    var keys = new ArrayList<Key<Object, ?>>();
    keys.addAll(List.of(TOPIC, CLUSTER, CONSUMER_GROUP, DEADLETTER_CLUSTER, RAW_MODE));
    for (String prefix : List.of(MAIN, DEADLETTER)) {
      for (Key<ClusterConfig, ?> key : ClusterKeys.TABLE.keys()) {
        if (!key.path().equals(ClusterKeys.CLUSTER_ADDRESS.path())) {
          keys.add(security(prefix, key));
        }
      }
    }
    return List.copyOf(keys);
  }

  private static Moved same(String from, Key<BrokerConfig, ?> to) {
    return new Moved(from, to, false);
  }

  private static Moved millis(String from, Key<BrokerConfig, Duration> to) {
    return new Moved(from, to, true);
  }

  private static <T> Key<Object, T> old(String path, KeyType<T> type, T fallback, String meaning) {
    return new Key<>(
        path,
        type,
        fallback,
        false,
        KeyDoc.of(meaning),
        area -> {
          throw notShown(area);
        });
  }

  private static <T> Key<Object, T> raw(Key<RawConfig, T> key) {
    String path = "raw_" + key.path();
    return new Key<>(
        path,
        key.type(),
        key.fallback(),
        false,
        key.doc(),
        area -> {
          throw notShown(area);
        });
  }

  /// Exception for rendering an old key: values are shown under the new keys.
  private static IllegalStateException notShown(Object area) {
    return new IllegalStateException("Old keys are not shown in " + area.getClass());
  }
}
