package io.taskbroker;

import static java.util.Comparator.naturalOrder;

import io.taskbroker.activation.Destination;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ClusterConfig;
import io.taskbroker.config.DeliveryMode;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.config.PushConfig;
import io.taskbroker.config.StatusUpdateConfig;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.config.TopicConfig;
import io.taskbroker.grpc.GrpcOptions;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.EngineOptions;
import io.taskbroker.ingest.DeclaredTopic;
import io.taskbroker.ingest.IngestOptions;
import io.taskbroker.ingest.IntakeLimits;
import io.taskbroker.ingest.RawTask;
import io.taskbroker.ingest.TopicSource;
import io.taskbroker.outbox.TargetTopic;
import io.taskbroker.rules.RuleContext;
import io.taskbroker.rules.RuntimeFile;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.store.CommitOptions;
import io.taskbroker.store.postgres.PostgresOptions;
import io.taskbroker.store.sqlite.SqliteOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What the configuration means to each stage, with the numbers that nobody configures.
final class StageOptions {
  /// What tasks may take of the heap is one part of so many.
  private static final int HEAP_PARTS = 3;

  private static final int MAX_CHANGES = 16_384;
  private static final int READ_AHEAD_RECORDS = 3_000;
  private static final int POLL_RECORDS = 1_000;
  private static final long DEFAULT_MARK_MS = 1_000;
  private static final long SETTLE_MS = 2_000;
  private static final int LARGEST_DEAD_LETTER = 32 << 20;
  private static final long PARK_HORIZON_MS = 5 * 60_000;
  private static final Duration LEAST_PATIENCE = Duration.ofSeconds(10);
  private static final Duration LEAST_MAINTENANCE_INTERVAL = Duration.ofSeconds(1);
  private static final long TOMBSTONE_MS = 10 * 60_000;

  private StageOptions() {}

  /// Where activations are pushed to.
  static Map<String, URI> workers(BrokerConfig config) {
    return config.deliveryMode() == DeliveryMode.PUSH ? config.workerMap() : Map.of();
  }

  static EngineOptions inflight(BrokerConfig config, boolean shared) {
    StoreConfig.Limits limits = config.store().limits();
    PushConfig push = config.push();
    return new EngineOptions(
        config.deliveryMode() == DeliveryMode.PUSH ? config.workerMap().keySet() : null,
        config.kafka().retryTopic(),
        config.kafka().deadletterTopic(),
        new EngineOptions.Limits(
            limits.maxPending(),
            limits.maxDelay(),
            limits.maxProcessing(),
            limits.maxProcessingAttempts(),
            limits.maxSize().orElse(0L),
            Runtime.getRuntime().maxMemory() / HEAP_PARTS,
            limits.maxParked().orElse(Integer.MAX_VALUE),
            MAX_CHANGES,
            push.maxCalls()),
        new EngineOptions.Periods(
            limits.processingGrace().toMillis(),
            config.claimLease().toMillis(),
            push.updateBatched() ? push.updateInterval().toMillis() : DEFAULT_MARK_MS,
            config.upkeep().deadlineResetSkip().toMillis(),
            SETTLE_MS,
            PARK_HORIZON_MS,
            TOMBSTONE_MS),
        shared);
  }

  /// Replies wait for their transaction either way; batching status updates sets the interval and
  /// the bound that were asked for.
  static CommitOptions commits(BrokerConfig config) {
    StatusUpdateConfig updates = config.statusUpdates();
    CommitOptions options =
        CommitOptions.defaults()
            .maintainedEvery(
                max(config.upkeep().vacuum().maintenanceInterval(), LEAST_MAINTENANCE_INTERVAL));
    return updates.batched() ? options.grouped(updates.batchSize(), updates.interval()) : options;
  }

  static SqliteOptions sqlite(BrokerConfig config) {
    StoreConfig.Sqlite sqlite = config.store().sqlite();
    int pages = sqlite.vacuumPageCount().orElse(0);
    return new SqliteOptions(
        sqlite.path(),
        config.store().limits().maxSize().orElse(0L),
        config.upkeep().vacuum().fullOnStart(),
        pages == 0
            ? SqliteOptions.MAX_VACUUM_PAGES
            : Math.min(pages, SqliteOptions.MAX_VACUUM_PAGES));
  }

  /// The usual limits of the gRPC server; fewer connections where the process may have few files.
  static GrpcOptions.Limits grpcLimits(long descriptors) {
    GrpcOptions.Limits usual = GrpcOptions.Limits.USUAL;
    return new GrpcOptions.Limits(
        usual.requestBytes(),
        usual.updates(),
        usual.callsPerConnection(),
        FileDescriptors.connections(descriptors, usual.connections()));
  }

  /// How long a stage may have work and do none before the broker is not ready (G9).
  static Duration patience(BrokerConfig config) {
    return max(config.upkeep().unhealthyInterval(), LEAST_PATIENCE);
  }

  private static Duration max(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? other : one;
  }

  static List<TopicSource> sources(BrokerConfig config) {
    return config.kafka().topics().values().stream()
        .filter(topic -> !topic.produceOnly() && !topic.consumerDisabled())
        .map(topic -> source(config, topic))
        .toList();
  }

  private static TopicSource source(BrokerConfig config, TopicConfig topic) {
    TopicConfig.Consumption consumption = topic.consumption();
    return new TopicSource(
        topic.name(),
        topic.consumerGroup(),
        config.kafka().clusterOf(topic.name()).clientProperties(),
        consumption.sessionTimeout(),
        consumption.autoCommitInterval(),
        consumption.autoOffsetReset().name().toLowerCase(Locale.ROOT),
        // What is retried is an activation, wherever it comes from.
        topic
            .raw()
            .filter(_ -> !topic.name().equals(config.kafka().retryTopic()))
            .map(raw ->
                new RawTask(
                    raw.application(),
                    raw.namespace(),
                    raw.taskname(),
                    raw.processingDeadline(),
                    raw.compressionLevel())));
  }

  /// The topics that are to be created if they are missing, and those that are to exist because
  /// they will be consumed again.
  static List<DeclaredTopic> declaredTopics(BrokerConfig config) {
    boolean creates = config.kafka().creation().createMissing();
    return config.kafka().topics().values().stream()
        .filter(topic -> creates || isUnread(topic))
        .map(topic ->
            new DeclaredTopic(
                topic.name(),
                config.kafka().clusterOf(topic.name()).clientProperties(),
                creates ? config.kafka().creation().defaultPartitions() : 0,
                isUnread(topic)))
        .toList();
  }

  /// The topics that retries and dead letters are produced to.
  static List<TargetTopic> targetTopics(BrokerConfig config) {
    KafkaConfig kafka = config.kafka();
    boolean creates = kafka.creation().createMissing();
    var targets = new ArrayList<TargetTopic>();
    targets.add(
        new TargetTopic(
            kafka.deadletterTopic(),
            "dead letters",
            "kafka_deadletter_topic",
            kafka.clusterOf(kafka.deadletterTopic()).clientProperties(),
            creates));
    if (!kafka.retryTopic().equals(kafka.deadletterTopic())) {
      targets.add(
          new TargetTopic(
              kafka.retryTopic(),
              "retries",
              "kafka_retry_topic",
              kafka.clusterOf(kafka.retryTopic()).clientProperties(),
              creates));
    }
    return targets;
  }

  /// The topics that are consumed, with the settings of Kafka's clients.
  static Map<String, Map<String, String>> consumedTopics(BrokerConfig config) {
    return sources(config).stream()
        .collect(
            Collectors.toMap(
                TopicSource::topic,
                source -> config.kafka().clusterOf(source.topic()).clientProperties()));
  }

  private static boolean isUnread(TopicConfig topic) {
    return topic.consumerDisabled() && !topic.produceOnly();
  }

  /// The topic that canary tasks claim to come from: the first by name that is consumed.
  static String canaryTopic(BrokerConfig config) {
    return sources(config).stream().map(TopicSource::topic).min(naturalOrder()).orElse("");
  }

  /// @param migrate whether the tables are brought up to date first
  /// @param patience how long to wait for a server that does not answer
  static PostgresOptions postgres(BrokerConfig config, boolean migrate, Duration patience) {
    StoreConfig store = config.store();
    StoreConfig.Postgres postgres = store.postgres();
    return new PostgresOptions(
        new PostgresOptions.Address(
            postgres.address().host(),
            postgres.address().port(),
            postgres.database(),
            postgres.maintenanceDatabase(),
            postgres.address().queryParams()),
        login(postgres.login()),
        migrate ? Optional.of(login(postgres.migrator())) : Optional.empty(),
        new PostgresOptions.Limits(
            store.limits().maxSize().orElse(0L),
            PostgresOptions.Limits.LEASE,
            store.limits().contentionDrainAge()),
        new PostgresOptions.Retry(store.retry().maxRetries(), store.retry().delay(), patience));
  }

  private static PostgresOptions.Login login(StoreConfig.Login login) {
    return new PostgresOptions.Login(login.username(), login.password().reveal());
  }

  static IngestOptions ingest(BrokerConfig config, String instance) {
    IntakeLimits limits =
        IntakeLimits.of(
            Runtime.getRuntime().maxMemory(),
            sources(config).size(),
            config.kafka().maxMessageSize());
    return new IngestOptions(
        instance,
        config.ingest().maxDelay().toSeconds(),
        config.kafka().maxMessageSize(),
        READ_AHEAD_RECORDS,
        limits.readAheadBytes(),
        POLL_RECORDS,
        limits);
  }

  /// The largest message to produce: one that is too large to be an activation is to reach the
  /// dead-letter topic all the same, if that takes it.
  static int largestMessage(BrokerConfig config) {
    return Math.max(config.kafka().maxMessageSize(), LARGEST_DEAD_LETTER);
  }

  /// How to reach the cluster of a destination. Other clusters than those of the topics are reached
  /// as that of the dead letters is (reference-spec 3.7).
  static Function<Destination, @Nullable Map<String, String>> clusters(BrokerConfig config) {
    var clusters = new TreeMap<String, Map<String, String>>();
    for (String topic : config.kafka().topics().keySet()) {
      clusters.put(topic, config.kafka().clusterOf(topic).clientProperties());
    }
    ClusterConfig deadLetters = config.kafka().clusterOf(config.kafka().deadletterTopic());
    return to ->
        to.cluster().isEmpty()
            ? clusters.get(to.topic())
            : deadLetters.at(to.cluster()).clientProperties();
  }

  /// The file of the rules, if there is one; else there are no rules, and none from before.
  static Optional<RuntimeFile> rules(
      BrokerConfig config, CommandSink engine, FailureSink failures) {
    Path store = config.store().sqlite().path().toAbsolutePath();
    Path copy = store.resolveSibling(store.getFileName() + ".rules");
    Optional<Path> file = config.ingest().runtimeConfig();
    if (file.isEmpty()) {
      try {
        Files.deleteIfExists(copy);
      } catch (IOException e) {
        throw new IllegalArgumentException(
            "runtime_config_path is not set, but the rules of before cannot be deleted: " + e, e);
      }
    }
    return file.map(path -> new RuntimeFile(path, copy, surroundings(config), engine, failures));
  }

  private static RuleContext surroundings(BrokerConfig config) {
    KafkaConfig kafka = config.kafka();
    ClusterConfig deadLetters = kafka.clusterOf(kafka.deadletterTopic());
    return new RuleContext(
        kafka.longTopic(),
        deadLetters.address(),
        deadLetters.authenticates(),
        sources(config).stream()
            .map(source ->
                new RuleContext.Consumed(source.topic(), kafka.clusterOf(source.topic()).address()))
            .toList());
  }
}
