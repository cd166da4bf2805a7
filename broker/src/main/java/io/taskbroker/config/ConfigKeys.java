package io.taskbroker.config;

import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.duration;
import static io.taskbroker.config.KeyType.durationNotZero;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.hostAndPort;
import static io.taskbroker.config.KeyType.integer;
import static io.taskbroker.config.KeyType.ip;
import static io.taskbroker.config.KeyType.list;
import static io.taskbroker.config.KeyType.map;
import static io.taskbroker.config.KeyType.millis;
import static io.taskbroker.config.KeyType.number;
import static io.taskbroker.config.KeyType.oneOf;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;
import static io.taskbroker.config.KeyType.seconds;
import static io.taskbroker.config.KeyType.secretText;
import static io.taskbroker.config.KeyType.size;
import static io.taskbroker.config.KeyType.text;
import static io.taskbroker.config.KeyType.url;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Every key of the configuration but the old ones ([OldKeys]), with its type, default and meaning
/// (reference-spec 3.2 to 3.5).
final class ConfigKeys {
  /// The keys at the top, and in sections of fixed names.
  static final List<Key<BrokerConfig, ?>> BROKER = new ArrayList<>();

  /// The keys of each entry of `kafka_topics`.
  static final List<Key<TopicConfig, ?>> TOPIC = new ArrayList<>();

  /// The keys of the section `raw` of a topic.
  static final List<Key<RawConfig, ?>> RAW = new ArrayList<>();

  /// The keys of each entry of `kafka_clusters`.
  static final List<Key<ClusterConfig, ?>> CLUSTER = new ArrayList<>();

  static final String TOPICS = "kafka_topics";
  static final String CLUSTERS = "kafka_clusters";
  static final String RAW_SECTION = "raw";

  // Delivery.

  static final Key<BrokerConfig, DeliveryMode> DELIVERY_MODE =
      broker(
          "delivery_mode",
          oneOf(DeliveryMode.class),
          DeliveryMode.PULL,
          "Whether workers fetch tasks (pull) or are called (push)",
          BrokerConfig::deliveryMode);
  static final Key<BrokerConfig, Map<String, URI>> WORKER_MAP =
      broker(
          "worker_map",
          map(url()),
          Map.of("sentry", URI.create("http://127.0.0.1:50052")),
          "Where the workers of each application are, in push mode",
          BrokerConfig::workerMap);

  // gRPC.

  static final Key<BrokerConfig, InetAddress> GRPC_ADDR =
      broker(
          "grpc_addr",
          ip(),
          InetAddress.ofLiteral("0.0.0.0"),
          "The address that the gRPC server listens on",
          c -> c.grpc().address());
  static final Key<BrokerConfig, Integer> GRPC_PORT =
      broker(
          "grpc_port",
          integer(0, 65_535),
          50_051,
          "The port of the gRPC server; 0 for no server",
          c -> c.grpc().port());
  static final Key<BrokerConfig, List<Secret>> GRPC_SHARED_SECRET =
      broker(
          "grpc_shared_secret",
          list(secretText()),
          List.of(),
          "Requests are signed with the first and accepted with any of these; none for no"
              + " signatures",
          c -> c.grpc().sharedSecrets());
  static final Key<BrokerConfig, Integer> GRPC_MAX_MESSAGE_SIZE =
      broker(
          "grpc_max_message_size",
          count(1),
          54_525_952,
          "Bytes of a message to a worker at most",
          c -> c.grpc().maxMessageSize());

  // Kafka.

  static final Key<BrokerConfig, String> KAFKA_DEADLETTER_TOPIC =
      broker(
          "kafka_deadletter_topic",
          filledText(),
          "taskworker-dlq",
          "Where tasks go that failed for good; a declared topic",
          c -> c.kafka().deadletterTopic());
  static final Key<BrokerConfig, Optional<String>> KAFKA_RETRY_TOPIC =
      broker(
          "kafka_retry_topic",
          optional(filledText()),
          Optional.empty(),
          "Where retries go; a declared topic. By default the consumed topic, if there is one only",
          c -> Optional.of(c.kafka().retryTopic()));
  static final Key<BrokerConfig, String> KAFKA_LONG_TOPIC =
      broker(
          "kafka_long_topic",
          filledText(),
          "taskworker-long",
          "Where demoted tasks go by default",
          c -> c.kafka().longTopic());
  static final Key<BrokerConfig, Boolean> CREATE_MISSING_TOPICS =
      broker(
          "create_missing_topics",
          bool(),
          false,
          "Whether declared topics that do not exist are created at start, with one replica",
          c -> c.kafka().creation().createMissing());
  static final Key<BrokerConfig, Integer> DEFAULT_TOPIC_PARTITIONS =
      broker(
          "default_topic_partitions",
          count(1),
          1,
          "Partitions of a topic that is created",
          c -> c.kafka().creation().defaultPartitions());
  static final Key<BrokerConfig, Duration> KAFKA_SESSION_TIMEOUT_MS =
      broker(
          "kafka_session_timeout_ms",
          millis(1),
          Duration.ofSeconds(6),
          "After which a consumer that is silent loses its partitions",
          c -> c.kafka().consumption().sessionTimeout());
  static final Key<BrokerConfig, Duration> KAFKA_AUTO_COMMIT_INTERVAL_MS =
      broker(
          "kafka_auto_commit_interval_ms",
          millis(0),
          Duration.ofSeconds(5),
          "How often offsets are committed",
          c -> c.kafka().consumption().autoCommitInterval());
  static final Key<BrokerConfig, OffsetReset> KAFKA_AUTO_OFFSET_RESET =
      broker(
          "kafka_auto_offset_reset",
          offsetReset(),
          OffsetReset.LATEST,
          "Where a consumer group begins that has committed nothing",
          c -> c.kafka().consumption().autoOffsetReset());
  static final Key<BrokerConfig, Duration> KAFKA_SEND_TIMEOUT_MS =
      broker(
          "kafka_send_timeout_ms",
          millis(0),
          Duration.ofMillis(500),
          "Not used: what must leave is tried until Kafka has it",
          c -> c.kafka().sendTimeout());
  static final Key<BrokerConfig, Integer> MAX_MESSAGE_SIZE =
      broker(
          "max_message_size",
          count(1),
          5_000_000,
          "Bytes of a Kafka message at most",
          c -> c.kafka().maxMessageSize());

  static final Key<TopicConfig, String> TOPIC_CLUSTER =
      topic(
          "cluster",
          filledText(),
          "The name of its cluster in kafka_clusters",
          TopicConfig::cluster);
  static final Key<TopicConfig, String> TOPIC_CONSUMER_GROUP =
      topic("consumer_group", filledText(), "The consumer group", TopicConfig::consumerGroup);
  static final Key<TopicConfig, Boolean> TOPIC_PRODUCE_ONLY =
      add(
          TOPIC,
          new Key<>(
              "produce_only",
              bool(),
              false,
              false,
              "Whether the topic is only written to",
              TopicConfig::produceOnly));
  static final Key<TopicConfig, Boolean> TOPIC_CONSUMER_DISABLED =
      add(
          TOPIC,
          new Key<>(
              "consumer_disabled",
              bool(),
              false,
              false,
              "Whether the broker stays out of the consumer group for now",
              TopicConfig::consumerDisabled));
  static final Key<TopicConfig, Duration> TOPIC_SESSION_TIMEOUT_MS =
      add(
          TOPIC,
          KAFKA_SESSION_TIMEOUT_MS.as(
              "session_timeout_ms",
              Duration.ofSeconds(6),
              topic -> topic.consumption().sessionTimeout()));
  static final Key<TopicConfig, Duration> TOPIC_AUTO_COMMIT_INTERVAL_MS =
      add(
          TOPIC,
          KAFKA_AUTO_COMMIT_INTERVAL_MS.as(
              "auto_commit_interval_ms",
              Duration.ofSeconds(5),
              topic -> topic.consumption().autoCommitInterval()));
  static final Key<TopicConfig, OffsetReset> TOPIC_AUTO_OFFSET_RESET =
      add(
          TOPIC,
          KAFKA_AUTO_OFFSET_RESET.as(
              "auto_offset_reset",
              OffsetReset.LATEST,
              topic -> topic.consumption().autoOffsetReset()));

  static final Key<RawConfig, String> RAW_NAMESPACE =
      raw(
          "namespace",
          filledText(),
          "",
          "The namespace of the tasks that are made",
          RawConfig::namespace);
  static final Key<RawConfig, String> RAW_APPLICATION =
      raw(
          "application",
          filledText(),
          "",
          "The application of the tasks that are made; a key of worker_map",
          RawConfig::application);
  static final Key<RawConfig, String> RAW_TASKNAME =
      raw("taskname", filledText(), "", "The name of the tasks that are made", RawConfig::taskname);
  static final Key<RawConfig, Duration> RAW_PROCESSING_DEADLINE_DURATION =
      raw(
          "processing_deadline_duration",
          seconds(0, 65_535),
          Duration.ofSeconds(30),
          "How long a worker may take",
          RawConfig::processingDeadline);
  static final Key<RawConfig, Integer> RAW_COMPRESSION_LEVEL =
      add(
          RAW,
          new Key<>(
              "compression_level",
              integer(-131_072, 22),
              3,
              false,
              "The level of zstd; -1 for no compression",
              RawConfig::compressionLevel));

  static final Key<ClusterConfig, String> CLUSTER_ADDRESS =
      add(
          CLUSTER,
          new Key<>(
              "address",
              filledText(),
              "127.0.0.1:9092",
              true,
              "Bootstrap servers, separated by commas",
              ClusterConfig::address));
  static final Key<ClusterConfig, Optional<String>> SECURITY_PROTOCOL =
      security(
          "security_protocol",
          oneOf(upperCased("plaintext", "ssl", "sasl_plaintext", "sasl_ssl"), ConfigKeys::lower),
          "How clients talk to the cluster",
          ClusterConfig.Security::protocol);
  static final Key<ClusterConfig, Optional<String>> SASL_MECHANISM =
      security(
          "sasl_mechanism",
          oneOf(upperCased("plain", "scram-sha-256", "scram-sha-512"), ConfigKeys::lower),
          "How clients log in",
          ClusterConfig.Security::mechanism);
  static final Key<ClusterConfig, Optional<String>> SASL_USERNAME =
      security(
          "sasl_username", text(), "The name to log in with", ClusterConfig.Security::username);
  static final Key<ClusterConfig, Optional<Secret>> SASL_PASSWORD =
      security(
          "sasl_password",
          secretText(),
          "The password to log in with",
          ClusterConfig.Security::password);
  static final Key<ClusterConfig, Optional<Path>> SSL_CA_LOCATION =
      security(
          "ssl_ca_location",
          path(),
          "A PEM file of certificates that are trusted",
          ClusterConfig.Security::caLocation);
  static final Key<ClusterConfig, Optional<Path>> SSL_CERTIFICATE_LOCATION =
      security(
          "ssl_certificate_location",
          path(),
          "A PEM file with the client's certificate and what it is signed by",
          ClusterConfig.Security::certificateLocation);
  static final Key<ClusterConfig, Optional<Path>> SSL_KEY_LOCATION =
      security(
          "ssl_key_location",
          path(),
          "A PEM file with the client's key in PKCS #8",
          ClusterConfig.Security::keyLocation);

  // Intake.

  static final Key<BrokerConfig, Duration> MAX_DELAYED_TASK_ALLOWED_SEC =
      broker(
          "max_delayed_task_allowed_sec",
          seconds(),
          Duration.ofHours(1),
          "A longer delay of a task is cut to this",
          c -> c.ingest().maxDelay());
  static final Key<BrokerConfig, Optional<Path>> RUNTIME_CONFIG_PATH =
      broker(
          "runtime_config_path",
          optional(path()),
          Optional.empty(),
          "The file of the rules that can change while the broker runs",
          c -> c.ingest().runtimeConfig());
  static final Key<BrokerConfig, Integer> CANARY_TASKS =
      broker(
          "canary_tasks",
          count(0),
          0,
          "How many canary tasks to make at start for each application",
          c -> c.ingest().canaryTasks());

  // The store.

  static final Key<BrokerConfig, StoreConfig.Adapter> STORE_ADAPTER =
      broker(
          "store.adapter",
          oneOf(StoreConfig.Adapter.class),
          StoreConfig.Adapter.SQLITE,
          "The database",
          c -> c.store().adapter());
  static final Key<BrokerConfig, Path> SQLITE_PATH =
      broker(
          "store.sqlite.path",
          path(),
          Path.of("./taskbroker-inflight.sqlite"),
          "The file of the database",
          c -> c.store().sqlite().path());
  static final Key<BrokerConfig, Boolean> SQLITE_ENABLE_STATUS_METRICS =
      broker(
          "store.sqlite.enable_status_metrics",
          bool(),
          true,
          "Whether metrics tell of the database's inside",
          c -> c.store().sqlite().statusMetrics());
  static final Key<BrokerConfig, Optional<Integer>> SQLITE_VACUUM_PAGE_COUNT =
      broker(
          "store.sqlite.vacuum_page_count",
          optional(count(0)),
          Optional.empty(),
          "How many free pages are given back at once; null for all",
          c -> c.store().sqlite().vacuumPageCount());
  static final Key<BrokerConfig, Boolean> PG_RUN_MIGRATIONS =
      broker(
          "store.pg.run_migrations",
          bool(),
          false,
          "Whether the broker brings the tables up to date at start",
          c -> c.store().postgres().runMigrations());
  static final Key<BrokerConfig, String> PG_HOST =
      broker(
          "store.pg.host",
          filledText(),
          "sentry-postgres-1",
          "The host of Postgres",
          c -> c.store().postgres().address().host());
  static final Key<BrokerConfig, Integer> PG_PORT =
      broker(
          "store.pg.port",
          integer(1, 65_535),
          5_432,
          "The port of Postgres",
          c -> c.store().postgres().address().port());
  static final Key<BrokerConfig, String> PG_USERNAME =
      broker(
          "store.pg.username",
          text(),
          "postgres",
          "Who works with the tables",
          c -> c.store().postgres().login().username());
  static final Key<BrokerConfig, Secret> PG_PASSWORD =
      broker(
          "store.pg.password",
          secretText(),
          new Secret("password"),
          "The password of username",
          c -> c.store().postgres().login().password());
  static final Key<BrokerConfig, String> PG_DDL_USERNAME =
      broker(
          "store.pg.ddl_username",
          text(),
          "postgres",
          "Who changes the tables",
          c -> c.store().postgres().migrator().username());
  static final Key<BrokerConfig, Secret> PG_DDL_PASSWORD =
      broker(
          "store.pg.ddl_password",
          secretText(),
          new Secret("password"),
          "The password of ddl_username",
          c -> c.store().postgres().migrator().password());
  static final Key<BrokerConfig, String> PG_DATABASE_NAME =
      broker(
          "store.pg.database_name",
          filledText(),
          "default",
          "The name of the database",
          c -> c.store().postgres().database());
  static final Key<BrokerConfig, String> PG_DEFAULT_DATABASE_NAME =
      broker(
          "store.pg.default_database_name",
          filledText(),
          "postgres",
          "The database to connect to in order to create database_name",
          c -> c.store().postgres().maintenanceDatabase());
  static final Key<BrokerConfig, Optional<String>> PG_QUERY_PARAMS =
      broker(
          "store.pg.query_params",
          optional(text()),
          Optional.empty(),
          "Parameters of the connection, such as k=v&k2=v2",
          c -> c.store().postgres().address().queryParams());
  static final Key<BrokerConfig, Integer> RETRY_MAX_RETRIES =
      broker(
          "store.retry.max_retries",
          count(0),
          3,
          "How often a query is tried again after a transient error",
          c -> c.store().retry().maxRetries());
  static final Key<BrokerConfig, Duration> RETRY_DELAY =
      broker(
          "store.retry.delay",
          duration(),
          Duration.ofMillis(100),
          "How long to wait before that",
          c -> c.store().retry().delay());
  static final Key<BrokerConfig, Duration> INSERT_FAILURE_BACKOFF_MS =
      broker(
          "store.insert_failure_backoff_ms",
          millis(0),
          Duration.ofSeconds(4),
          "How long to wait after a failed insert",
          c -> c.store().inserts().failureBackoff());
  static final Key<BrokerConfig, Integer> INSERT_BATCH_MAX_LENGTH =
      broker(
          "store.insert_batch_max_length",
          count(0),
          256,
          "Arrivals that are stored at once",
          c -> c.store().inserts().batchLength());
  static final Key<BrokerConfig, Long> INSERT_BATCH_MAX_BYTES =
      broker(
          "store.insert_batch_max_bytes",
          size(),
          16_000_000L,
          "Bytes of the arrivals that are stored at once",
          c -> c.store().inserts().batchBytes());
  static final Key<BrokerConfig, Duration> INSERT_BATCH_MAX_TIME_MS =
      broker(
          "store.insert_batch_max_time_ms",
          millis(0),
          Duration.ofSeconds(1),
          "How long an arrival waits for others",
          c -> c.store().inserts().batchTime());
  static final Key<BrokerConfig, Optional<Long>> MAX_SIZE =
      broker(
          "store.max_size",
          optional(size()),
          Optional.of(3_000_000_000L),
          "Bytes of the database at which intake stops; null for no bound",
          c -> c.store().limits().maxSize());
  static final Key<BrokerConfig, Integer> MAX_PENDING_COUNT =
      broker(
          "store.max_pending_count",
          count(0),
          2_048,
          "Tasks ready for delivery at which intake stops",
          c -> c.store().limits().maxPending());
  static final Key<BrokerConfig, Integer> MAX_DELAY_COUNT =
      broker(
          "store.max_delay_count",
          count(0),
          8_192,
          "Delayed tasks at which intake stops",
          c -> c.store().limits().maxDelay());
  static final Key<BrokerConfig, Integer> MAX_PROCESSING_COUNT =
      broker(
          "store.max_processing_count",
          count(0),
          2_048,
          "Tasks claimed or with workers at which intake stops",
          c -> c.store().limits().maxProcessing());
  static final Key<BrokerConfig, Integer> MAX_PROCESSING_ATTEMPTS =
      broker(
          "store.max_processing_attempts",
          count(0),
          5,
          "Processing deadlines that a task may let pass before it fails",
          c -> c.store().limits().maxProcessingAttempts());
  static final Key<BrokerConfig, Duration> PROCESSING_DEADLINE_GRACE_SEC =
      broker(
          "store.processing_deadline_grace_sec",
          seconds(),
          Duration.ofSeconds(3),
          "What is added to each processing deadline",
          c -> c.store().limits().processingGrace());
  static final Key<BrokerConfig, Duration> CONTENTION_DRAIN_AGE_SEC =
      broker(
          "store.contention_drain_age_sec",
          seconds(),
          Duration.ofMinutes(1),
          "After which tasks of a broker that is gone are taken over, with Postgres",
          c -> c.store().limits().contentionDrainAge());

  // Push mode.

  static final Key<BrokerConfig, Integer> FETCH_THREADS =
      broker(
          "fetch.threads",
          integer(1, 256),
          1,
          "Threads that claim tasks; a power of two",
          c -> c.fetch().threads());
  static final Key<BrokerConfig, Duration> FETCH_BACKOFF =
      broker(
          "fetch.backoff",
          duration(),
          Duration.ofMillis(100),
          "How long to wait when there was nothing to claim",
          c -> c.fetch().backoff());
  static final Key<BrokerConfig, Integer> FETCH_BATCH_LENGTH =
      broker(
          "fetch.batch_length",
          count(1),
          1,
          "Tasks that are claimed at once",
          c -> c.fetch().batchLength());
  static final Key<BrokerConfig, Integer> PUSH_THREADS =
      broker("push.threads", count(1), 1, "Threads that call workers", c -> c.push().threads());
  static final Key<BrokerConfig, Duration> PUSH_TIMEOUT =
      broker(
          "push.timeout",
          durationNotZero(),
          Duration.ofSeconds(30),
          "How long a call of a worker may take",
          c -> c.push().timeout());
  static final Key<BrokerConfig, Integer> PUSH_QUEUE_SIZE =
      broker(
          "push.queue.size",
          count(1),
          1,
          "Claimed tasks that wait for a call",
          c -> c.push().queueSize());
  static final Key<BrokerConfig, Duration> PUSH_QUEUE_TIMEOUT =
      broker(
          "push.queue.timeout",
          durationNotZero(),
          Duration.ofSeconds(5),
          "How long a claimed task waits for a place in the queue",
          c -> c.push().queueTimeout());
  static final Key<BrokerConfig, Boolean> PUSH_UPDATE_BATCHED =
      broker(
          "push.update.batched",
          bool(),
          false,
          "Whether marks of pushed tasks wait for each other",
          c -> c.push().updateBatched());
  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_LENGTH =
      broker(
          "push.update.batch.length",
          count(1),
          1,
          "Marks that are written at once",
          c -> c.push().updateBatchLength());
  static final Key<BrokerConfig, Duration> PUSH_UPDATE_BATCH_INTERVAL =
      broker(
          "push.update.batch.interval",
          durationNotZero(),
          Duration.ofMillis(100),
          "How long a mark waits for others",
          c -> c.push().updateInterval());
  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_SIZE =
      broker("push.update.batch.size", count(1), 1, "Not used", c -> c.push().updateBatchSize());

  // Reports.

  static final Key<BrokerConfig, Boolean> BATCH_STATUS_UPDATES =
      broker(
          "batch_status_updates",
          bool(),
          false,
          "Whether reports wait for each other",
          c -> c.statusUpdates().batched());
  static final Key<BrokerConfig, Integer> STATUS_UPDATE_BATCH_SIZE =
      broker(
          "status_update_batch_size",
          count(1),
          1,
          "Reports that are written at once",
          c -> c.statusUpdates().batchSize());
  static final Key<BrokerConfig, Duration> STATUS_UPDATE_INTERVAL_MS =
      broker(
          "status_update_interval_ms",
          millis(1),
          Duration.ofMillis(100),
          "How long a report waits for others",
          c -> c.statusUpdates().interval());

  // Upkeep.

  static final Key<BrokerConfig, Duration> UPKEEP_TASK_INTERVAL_MS =
      broker(
          "upkeep_task_interval_ms",
          millis(0),
          Duration.ofSeconds(1),
          "The period of upkeep",
          c -> c.upkeep().taskInterval());
  static final Key<BrokerConfig, Duration> UPKEEP_UNHEALTHY_INTERVAL_MS =
      broker(
          "upkeep_unhealthy_interval_ms",
          millis(0),
          Duration.ofSeconds(5),
          "After which a stage that makes no progress is unhealthy",
          c -> c.upkeep().unhealthyInterval());
  static final Key<BrokerConfig, Boolean> HEALTH_CHECK_KILLSWITCHED =
      broker(
          "health_check_killswitched",
          bool(),
          false,
          "Whether the broker always says that it is healthy",
          c -> c.upkeep().healthCheckKillswitched());
  static final Key<BrokerConfig, Duration> UPKEEP_DEADLINE_RESET_SKIP_AFTER_STARTUP_SEC =
      broker(
          "upkeep_deadline_reset_skip_after_startup_sec",
          seconds(),
          Duration.ofMinutes(1),
          "How long after start deadlines that passed before it are not acted on",
          c -> c.upkeep().deadlineResetSkip());
  static final Key<BrokerConfig, Duration> MAINTENANCE_TASK_INTERVAL_MS =
      broker(
          "maintenance_task_interval_ms",
          millis(0),
          Duration.ofSeconds(6),
          "The period of incremental vacuum",
          c -> c.upkeep().vacuum().maintenanceInterval());
  static final Key<BrokerConfig, Boolean> FULL_VACUUM_ON_START =
      broker(
          "full_vacuum_on_start",
          bool(),
          true,
          "Whether the database is vacuumed at start",
          c -> c.upkeep().vacuum().fullOnStart());
  static final Key<BrokerConfig, Boolean> FULL_VACUUM_ON_UPKEEP =
      broker(
          "full_vacuum_on_upkeep",
          bool(),
          true,
          "Whether the database is vacuumed again and again",
          c -> c.upkeep().vacuum().fullOnUpkeep());
  static final Key<BrokerConfig, Duration> VACUUM_INTERVAL_MS =
      broker(
          "vacuum_interval_ms",
          millis(0),
          Duration.ofSeconds(30),
          "The period of that",
          c -> c.upkeep().vacuum().interval());

  // Telemetry.

  static final Key<BrokerConfig, String> LOG_FILTER =
      broker(
          "log_filter",
          text(),
          "info,librdkafka=warn,h2=off",
          "What is logged, as level or target=level, separated by commas",
          c -> c.telemetry().log().filter());
  static final Key<BrokerConfig, TelemetryConfig.LogFormat> LOG_FORMAT =
      broker(
          "log_format",
          oneOf(TelemetryConfig.LogFormat.class),
          TelemetryConfig.LogFormat.TEXT,
          "How lines of the log look",
          c -> c.telemetry().log().format());
  static final Key<BrokerConfig, Boolean> LOG_ASYNC_BACKTRACE =
      broker(
          "log_async_backtrace",
          bool(),
          false,
          "Whether to log from time to time what all threads do",
          c -> c.telemetry().log().asyncBacktrace());
  static final Key<BrokerConfig, InetSocketAddress> STATSD_ADDR =
      broker(
          "statsd_addr",
          hostAndPort(),
          InetSocketAddress.createUnresolved("127.0.0.1", 8126),
          "Where metrics are sent",
          c -> c.telemetry().metrics().statsd());
  static final Key<BrokerConfig, InetSocketAddress> METRICS_ADDR =
      broker(
          "metrics_addr",
          hostAndPort(),
          InetSocketAddress.createUnresolved("127.0.0.1", 9464),
          "Where metrics are served to Prometheus, and health; port 0 for nowhere",
          c -> c.telemetry().metrics().endpoint().address());
  static final Key<BrokerConfig, Map<String, String>> DEFAULT_METRICS_TAGS =
      broker(
          "default_metrics_tags",
          map(text()),
          Map.of(),
          "Tags of every metric and every error report",
          c -> c.telemetry().metrics().defaultTags());
  static final Key<BrokerConfig, Duration> RUNTIME_METRICS_INTERVAL =
      broker(
          "runtime_metrics_interval",
          durationNotZero(),
          Duration.ofSeconds(1),
          "How often the process is measured",
          c -> c.telemetry().metrics().runtimeInterval());
  static final Key<BrokerConfig, Optional<Secret>> SENTRY_DSN =
      broker(
          "sentry_dsn",
          optional(secretText()),
          Optional.empty(),
          "Where errors are reported to",
          c -> c.telemetry().sentry().dsn());
  static final Key<BrokerConfig, Optional<String>> SENTRY_ENV =
      broker(
          "sentry_env",
          optional(text()),
          Optional.empty(),
          "The environment that errors are reported of",
          c -> c.telemetry().sentry().environment());
  static final Key<BrokerConfig, Optional<Double>> TRACES_SAMPLE_RATE =
      broker(
          "traces_sample_rate",
          optional(number()),
          Optional.of(0.0),
          "The share of work that is traced",
          c -> c.telemetry().sentry().tracesSampleRate());

  private ConfigKeys() {}

  private static <T> Key<BrokerConfig, T> broker(
      String path, KeyType<T> type, T fallback, String meaning, Function<BrokerConfig, T> in) {
    return add(BROKER, new Key<>(path, type, fallback, false, meaning, in));
  }

  private static Key<TopicConfig, String> topic(
      String path, KeyType<String> type, String meaning, Function<TopicConfig, String> in) {
    return add(TOPIC, new Key<>(path, type, "", true, meaning, in));
  }

  private static <T> Key<RawConfig, T> raw(
      String path, KeyType<T> type, T fallback, String meaning, Function<RawConfig, T> in) {
    return add(RAW, new Key<>(path, type, fallback, true, meaning, in));
  }

  private static <T> Key<ClusterConfig, Optional<T>> security(
      String path,
      KeyType<T> type,
      String meaning,
      Function<ClusterConfig.Security, Optional<T>> in) {
    return add(
        CLUSTER,
        new Key<>(
            path,
            optional(type),
            Optional.empty(),
            false,
            meaning,
            cluster -> in.apply(cluster.security())));
  }

  private static <A, T> Key<A, T> add(List<Key<A, ?>> table, Key<A, T> key) {
    table.add(key);
    return key;
  }

  /// The words of the reference's Kafka client.
  private static KeyType<OffsetReset> offsetReset() {
    var words = new LinkedHashMap<String, OffsetReset>();
    for (String word : List.of("earliest", "smallest", "beginning")) {
      words.put(word, OffsetReset.EARLIEST);
    }
    for (String word : List.of("latest", "largest", "end")) {
      words.put(word, OffsetReset.LATEST);
    }
    return oneOf(words, reset -> lower(reset.name()));
  }

  private static Map<String, String> upperCased(String... words) {
    var map = new LinkedHashMap<String, String>();
    for (String word : words) {
      map.put(word, word.toUpperCase(Locale.ROOT));
    }
    return map;
  }

  private static Object lower(String word) {
    return word.toLowerCase(Locale.ROOT);
  }
}
