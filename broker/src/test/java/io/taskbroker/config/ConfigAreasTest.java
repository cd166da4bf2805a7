package io.taskbroker.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// For each area of the configuration: the defaults, and all keys set.
final class ConfigAreasTest {
  private static final String EVERYTHING =
      """
      delivery_mode: push
      worker_map: {a: "http://10.0.0.1:1", b_c: "http://worker_b:80/", d: "https://w.d"}
      grpc_addr: "::1"
      grpc_port: 50099
      grpc_shared_secret: [new, old]
      grpc_max_message_size: 1000
      grpc_tls: {certificate: /s.pem, key: /s.key, client_ca: /clients.pem}
      worker_tls: {ca: /workers.pem, certificate: /c.pem, key: /c.key}
      kafka_deadletter_topic: t-dlq
      kafka_retry_topic: t-retry
      kafka_long_topic: t-long
      create_missing_topics: true
      default_topic_partitions: 12
      kafka_session_timeout_ms: 7000
      kafka_auto_commit_interval_ms: 100
      kafka_auto_offset_reset: earliest
      kafka_send_timeout_ms: 600
      max_message_size: 2000
      max_delayed_task_allowed_sec: 10
      runtime_config_path: /etc/rules.yaml
      canary_tasks: 2
      store:
        adapter: postgres
        sqlite: {path: /var/db, enable_status_metrics: false, vacuum_page_count: 5}
        pg:
          run_migrations: true
          host: h
          port: 5433
          username: u
          password: p
          ddl_username: du
          ddl_password: dp
          database_name: d
          default_database_name: dd
          query_params: sslmode=require
        retry: {max_retries: 1, delay: 0ms}
        insert_failure_backoff_ms: 1
        insert_batch_max_length: 2
        insert_batch_max_bytes: 3
        insert_batch_max_time_ms: 4
        max_size: null
        max_pending_count: 5
        max_delay_count: 6
        max_parked_count: 9
        max_processing_count: 7
        max_processing_attempts: 8
        processing_deadline_grace_sec: 9
        contention_drain_age_sec: 10
        finished:
          retention_sec: 11
          max_size: 12000000
      fetch: {threads: 4, backoff: 2s, batch_length: 3}
      push:
        threads: 5
        timeout: 6s
        queue: {size: 7, timeout: 8ms}
        update: {batched: true, batch: {length: 9, interval: 10ms, size: 11}}
        max_calls: 12
        connections: 13
        connection_age: 14s
      batch_status_updates: true
      status_update_batch_size: 100
      status_update_interval_ms: 20
      upkeep_task_interval_ms: 1
      upkeep_unhealthy_interval_ms: 2
      health_check_killswitched: true
      upkeep_deadline_reset_skip_after_startup_sec: 3
      maintenance_task_interval_ms: 4
      full_vacuum_on_start: false
      full_vacuum_on_upkeep: false
      vacuum_interval_ms: 5
      audit_sample_records: 6
      log_filter: debug
      log_format: json
      log_async_backtrace: true
      statsd_addr: "[::1]:9125"
      metrics_addr: 0.0.0.0:9465
      default_metrics_tags: {region: eu}
      runtime_metrics_interval: 2500ms
      sentry_dsn: https://key@sentry.invalid/1
      sentry_env: prod
      traces_sample_rate: 0.5
      otlp_endpoint: http://collector:4318
      admin:
        addr: "[::1]:9470"
        tokens: /tokens
        tls_certificate: /a.pem
        tls_key: /a.key
        tls_client_ca: /admins.pem
        trusted_proxies: [10.0.0.2]
        identity_header: X-User
        roles: {ann: admin}
        audit_file: /audit
        redact: [iban]
        requests_per_second: 5
        read_only: true
      task_steps: {file: /steps, topic: t-steps, steps: [ended], max_size: 20000, kept: 1}
      kafka_clusters:
        main:
          address: k1:9092,k2:9092
          security_protocol: sasl_ssl
          sasl_mechanism: SCRAM-SHA-256
          sasl_username: su
          sasl_password: sp
          ssl_ca_location: /ca.pem
          ssl_certificate_location: /cert.pem
          ssl_key_location: /key.pem
      kafka_topics:
        t:
          cluster: main
          consumer_group: g
          consumer_disabled: true
          session_timeout_ms: 8000
          auto_commit_interval_ms: 200
          auto_offset_reset: latest
          raw:
            namespace: ns
            application: a
            taskname: mod.task
            processing_deadline_duration: 31
            compression_level: -1
        t-dlq: {cluster: main, consumer_group: g, produce_only: true}
        t-retry: {cluster: main, consumer_group: g}
        t-steps: {cluster: main, consumer_group: g, produce_only: true}
      """;

  private static final BrokerConfig NOTHING_SET = Configs.defaults();
  private static final BrokerConfig ALL_SET = Configs.yaml(EVERYTHING);

  @Test
  void allSetDiffersFromEveryDefault() {
    for (Key<BrokerConfig, ?> key : ConfigKeys.BROKER) {
      if (!key.path().equals("kafka_enabled")) { // without Kafka, its other keys are ignored
        assertThat(key.in().apply(ALL_SET))
            .as(key.path())
            .isNotEqualTo(key.in().apply(NOTHING_SET));
      }
    }
  }

  @Test
  void withoutKafkaThereAreNeitherTopicsNorClusters() {
    BrokerConfig config = Configs.yaml("kafka_enabled: false");
    assertThat(config.kafka().isEnabled()).isFalse();
    assertThat(config.kafka().topics()).isEmpty();
    assertThat(config.kafka().clusters()).isEmpty();
    assertThat(config.summary()).contains("consumes: nothing", "produces: nothing");
  }

  @Test
  void unsetKeysHaveTheirDefaults() {
    for (Key<BrokerConfig, ?> key : ConfigKeys.BROKER) {
      if (!key.path().equals("kafka_retry_topic")) {
        assertThat(key.in().apply(NOTHING_SET)).as(key.path()).isEqualTo(key.fallback());
      }
    }
  }

  @Test
  void effectiveConfigCanBeLoaded() {
    var warnings = new ArrayList<String>();

    BrokerConfig again = Configs.load(ALL_SET.effective(), Map.of(), warnings);

    assertThat(warnings).isEmpty();
    assertThat(again.effective()).isEqualTo(ALL_SET.effective());
    assertThat(again.toString()).isEqualTo(ALL_SET.toString());
    assertThat(Configs.yaml(NOTHING_SET.effective()))
        .usingRecursiveComparison()
        .ignoringFields("store.postgres", "kafka.clusters", "telemetry.metrics.endpoint.given")
        .isEqualTo(NOTHING_SET);
  }

  @Test
  void secretsAreHidden() {
    assertThat(ALL_SET.effective() + ALL_SET)
        .contains("******")
        .doesNotContain("key@sentry", "\"sp\"", "=sp", "\"dp\"", "=dp", "\"old\"", "[new", "\"p\"");
  }

  @Test
  void delivery() {
    assertThat(NOTHING_SET.deliveryMode()).isEqualTo(DeliveryMode.PULL);
    assertThat(NOTHING_SET.workerMap())
        .isEqualTo(Map.of("sentry", URI.create("http://127.0.0.1:50052")));
    assertThat(ALL_SET.deliveryMode()).isEqualTo(DeliveryMode.PUSH);
    assertThat(ALL_SET.workerMap())
        .isEqualTo(
            Map.of(
                "a",
                URI.create("http://10.0.0.1:1"),
                "b_c",
                URI.create("http://worker_b:80/"),
                "d",
                URI.create("https://w.d")));
  }

  @Test
  void grpcDefaults() {
    assertThat(NOTHING_SET.grpc())
        .isEqualTo(
            new GrpcConfig(
                InetAddress.ofLiteral("0.0.0.0"),
                50051,
                List.of(),
                54_525_952,
                new TlsConfig(Optional.empty(), Optional.empty(), Optional.empty()),
                new TlsConfig(Optional.empty(), Optional.empty(), Optional.empty())));
  }

  @Test
  void grpcAllSet() {
    assertThat(ALL_SET.grpc())
        .isEqualTo(
            new GrpcConfig(
                InetAddress.ofLiteral("::1"),
                50099,
                List.of(new Secret("new"), new Secret("old")),
                1000,
                new TlsConfig(
                    Optional.of(Path.of("/s.pem")),
                    Optional.of(Path.of("/s.key")),
                    Optional.of(Path.of("/clients.pem"))),
                new TlsConfig(
                    Optional.of(Path.of("/c.pem")),
                    Optional.of(Path.of("/c.key")),
                    Optional.of(Path.of("/workers.pem")))));
  }

  @Test
  void ingestDefaults() {
    assertThat(NOTHING_SET.ingest())
        .isEqualTo(new IngestConfig(Duration.ofHours(1), Optional.empty(), 0));
  }

  @Test
  void ingestAllSet() {
    assertThat(ALL_SET.ingest())
        .isEqualTo(
            new IngestConfig(Duration.ofSeconds(10), Optional.of(Path.of("/etc/rules.yaml")), 2));
  }

  @Test
  void storeDefaults() {
    var postgres = new StoreConfig.Login("postgres", new Secret("password"));
    assertThat(NOTHING_SET.store())
        .isEqualTo(
            new StoreConfig(
                StoreConfig.Adapter.SQLITE,
                new StoreConfig.Sqlite(
                    Path.of("./taskbroker-inflight.sqlite"), true, Optional.empty()),
                new StoreConfig.Postgres(
                    new StoreConfig.Address("sentry-postgres-1", 5432, Optional.empty()),
                    postgres,
                    postgres,
                    "default",
                    "postgres",
                    false),
                new StoreConfig.Retry(3, Duration.ofMillis(100)),
                new StoreConfig.Inserts(
                    Duration.ofSeconds(4), 256, 16_000_000, Duration.ofSeconds(1)),
                new StoreConfig.Limits(
                    Optional.of(3_000_000_000L),
                    2048,
                    8192,
                    Optional.empty(),
                    2048,
                    5,
                    Duration.ofSeconds(3),
                    Duration.ofMinutes(1)),
                new StoreConfig.Finished(Duration.ZERO, 256_000_000)));
  }

  @Test
  void storeAllSet() {
    assertThat(ALL_SET.store())
        .isEqualTo(
            new StoreConfig(
                StoreConfig.Adapter.POSTGRES,
                new StoreConfig.Sqlite(Path.of("/var/db"), false, Optional.of(5)),
                new StoreConfig.Postgres(
                    new StoreConfig.Address("h", 5433, Optional.of("sslmode=require")),
                    new StoreConfig.Login("u", new Secret("p")),
                    new StoreConfig.Login("du", new Secret("dp")),
                    "d",
                    "dd",
                    true),
                new StoreConfig.Retry(1, Duration.ZERO),
                new StoreConfig.Inserts(Duration.ofMillis(1), 2, 3, Duration.ofMillis(4)),
                new StoreConfig.Limits(
                    Optional.empty(),
                    5,
                    6,
                    Optional.of(9),
                    7,
                    8,
                    Duration.ofSeconds(9),
                    Duration.ofSeconds(10)),
                new StoreConfig.Finished(Duration.ofSeconds(11), 12_000_000)));
  }

  @Test
  void fetchAndPushDefaults() {
    assertThat(NOTHING_SET.fetch()).isEqualTo(new FetchConfig(1, Duration.ofMillis(100), 1));
    assertThat(NOTHING_SET.push())
        .isEqualTo(
            new PushConfig(
                1,
                Duration.ofSeconds(30),
                1,
                Duration.ofSeconds(5),
                false,
                1,
                Duration.ofMillis(100),
                1,
                1_024,
                12,
                Duration.ofSeconds(30)));
  }

  @Test
  void fetchAndPushAllSet() {
    assertThat(ALL_SET.fetch()).isEqualTo(new FetchConfig(4, Duration.ofSeconds(2), 3));
    assertThat(ALL_SET.push())
        .isEqualTo(
            new PushConfig(
                5,
                Duration.ofSeconds(6),
                7,
                Duration.ofMillis(8),
                true,
                9,
                Duration.ofMillis(10),
                11,
                12,
                13,
                Duration.ofSeconds(14)));
  }

  @Test
  void statusUpdates() {
    assertThat(NOTHING_SET.statusUpdates())
        .isEqualTo(new StatusUpdateConfig(false, 1, Duration.ofMillis(100)));
    assertThat(ALL_SET.statusUpdates())
        .isEqualTo(new StatusUpdateConfig(true, 100, Duration.ofMillis(20)));
  }

  @Test
  void upkeepDefaults() {
    assertThat(NOTHING_SET.upkeep())
        .isEqualTo(
            new UpkeepConfig(
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                false,
                Duration.ofMinutes(1),
                new UpkeepConfig.Vacuum(Duration.ofSeconds(6), true, true, Duration.ofSeconds(30)),
                0));
  }

  @Test
  void upkeepAllSet() {
    assertThat(ALL_SET.upkeep())
        .isEqualTo(
            new UpkeepConfig(
                Duration.ofMillis(1),
                Duration.ofMillis(2),
                true,
                Duration.ofSeconds(3),
                new UpkeepConfig.Vacuum(Duration.ofMillis(4), false, false, Duration.ofMillis(5)),
                6));
  }

  @Test
  void telemetryDefaults() {
    assertThat(NOTHING_SET.telemetry())
        .isEqualTo(
            new TelemetryConfig(
                new TelemetryConfig.Log(
                    "info,librdkafka=warn,h2=off", TelemetryConfig.LogFormat.TEXT, false),
                new TelemetryConfig.Metrics(
                    InetSocketAddress.createUnresolved("127.0.0.1", 8126),
                    Map.of(),
                    Duration.ofSeconds(1),
                    new TelemetryConfig.Endpoint(
                        InetSocketAddress.createUnresolved("127.0.0.1", 9464), false)),
                new TelemetryConfig.Sentry(Optional.empty(), Optional.empty()),
                new TelemetryConfig.Traces(Optional.empty(), Optional.of(0.0))));
  }

  @Test
  void telemetryAllSet() {
    assertThat(ALL_SET.telemetry())
        .isEqualTo(
            new TelemetryConfig(
                new TelemetryConfig.Log("debug", TelemetryConfig.LogFormat.JSON, true),
                new TelemetryConfig.Metrics(
                    InetSocketAddress.createUnresolved("[::1]", 9125),
                    Map.of("region", "eu"),
                    Duration.ofMillis(2500),
                    new TelemetryConfig.Endpoint(
                        InetSocketAddress.createUnresolved("0.0.0.0", 9465), true)),
                new TelemetryConfig.Sentry(
                    Optional.of(new Secret("https://key@sentry.invalid/1")), Optional.of("prod")),
                new TelemetryConfig.Traces(
                    Optional.of(URI.create("http://collector:4318")), Optional.of(0.5))));
  }

  @Test
  void kafkaDefaults() {
    var consumption =
        new TopicConfig.Consumption(
            Duration.ofSeconds(6), Duration.ofSeconds(5), OffsetReset.LATEST);
    assertThat(NOTHING_SET.kafka())
        .isEqualTo(
            new KafkaConfig(
                Map.of(
                    "taskworker",
                    new TopicConfig(
                        "taskworker",
                        "default",
                        "taskworker",
                        false,
                        false,
                        consumption,
                        Optional.empty()),
                    "taskworker-dlq",
                    new TopicConfig(
                        "taskworker-dlq",
                        "deadletter",
                        "taskworker",
                        true,
                        false,
                        consumption,
                        Optional.empty())),
                Map.of(
                    "default",
                    new ClusterConfig("default", "127.0.0.1:9092", ClusterConfig.Security.NONE),
                    "deadletter",
                    new ClusterConfig("deadletter", "127.0.0.1:9092", ClusterConfig.Security.NONE)),
                "taskworker-dlq",
                "taskworker",
                "taskworker-long",
                new KafkaConfig.Creation(false, 1),
                consumption,
                5_000_000,
                Duration.ofMillis(500)));
  }

  @Test
  void kafkaAllSet() {
    var consumption =
        new TopicConfig.Consumption(
            Duration.ofSeconds(7), Duration.ofMillis(100), OffsetReset.EARLIEST);
    KafkaConfig kafka = ALL_SET.kafka();
    assertThat(kafka.topics())
        .isEqualTo(
            Map.of(
                "t",
                new TopicConfig(
                    "t",
                    "main",
                    "g",
                    false,
                    true,
                    new TopicConfig.Consumption(
                        Duration.ofSeconds(8), Duration.ofMillis(200), OffsetReset.LATEST),
                    Optional.of(new RawConfig("ns", "a", "mod.task", Duration.ofSeconds(31), -1))),
                "t-dlq",
                new TopicConfig("t-dlq", "main", "g", true, false, consumption, Optional.empty()),
                "t-retry",
                new TopicConfig(
                    "t-retry", "main", "g", false, false, consumption, Optional.empty()),
                "t-steps",
                new TopicConfig(
                    "t-steps", "main", "g", true, false, consumption, Optional.empty())));
    assertThat(kafka.clusters())
        .isEqualTo(
            Map.of(
                "main",
                new ClusterConfig(
                    "main",
                    "k1:9092,k2:9092",
                    new ClusterConfig.Security(
                        Optional.of("SASL_SSL"),
                        Optional.of("SCRAM-SHA-256"),
                        Optional.of("su"),
                        Optional.of(new Secret("sp")),
                        Optional.of(Path.of("/ca.pem")),
                        Optional.of(Path.of("/cert.pem")),
                        Optional.of(Path.of("/key.pem"))))));
    assertThat(kafka.clusterOf("t-dlq").name()).isEqualTo("main");
    assertThat(List.of(kafka.deadletterTopic(), kafka.retryTopic(), kafka.longTopic()))
        .containsExactly("t-dlq", "t-retry", "t-long");
    assertThat(kafka.creation()).isEqualTo(new KafkaConfig.Creation(true, 12));
    assertThat(kafka.consumption()).isEqualTo(consumption);
    assertThat(kafka.maxMessageSize()).isEqualTo(2000);
    assertThat(kafka.sendTimeout()).isEqualTo(Duration.ofMillis(600));
  }

  @Test
  void claimLeaseFollowsTheFormula() {
    assertThat(NOTHING_SET.claimLease()).isEqualTo(Duration.ofSeconds(67));
    assertThat(Configs.yaml("push: {update: {batched: true}}").claimLease())
        .isEqualTo(Duration.ofMillis(67_100));
    assertThat(
            Configs.yaml(
                    """
                    fetch: {batch_length: 10}
                    push: {queue: {size: 1, timeout: 200ms}, threads: 1, timeout: 1000ms}
                    """)
                .claimLease())
        .isEqualTo(Duration.ofSeconds(6));
    assertThat(Configs.yaml("push: {queue: {size: 5}, threads: 2, timeout: 1s}").claimLease())
        .isEqualTo(Duration.ofSeconds(5 + 4 + 4));
  }
}
