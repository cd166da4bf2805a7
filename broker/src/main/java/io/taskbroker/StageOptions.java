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
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.Rules;
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
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Mapping of the configuration to the options of each stage, with the constants that are not
/// configurable.
final class StageOptions {
  /// Tasks may use one such part of the heap.
  private static final int HEAP_PARTS = 3;

  private static final int MAX_CHANGES = 16_384;
  private static final int READ_AHEAD_RECORDS = 3_000;
  private static final int POLL_RECORDS = 1_000;
  private static final long DEFAULT_UPDATE_MS = 1_000;
  private static final long SETTLE_MS = 2_000;
  private static final int LARGEST_DEAD_LETTER = 32 << 20;
  private static final long PARK_HORIZON_MS = 5 * 60_000;
  private static final Duration LEAST_PATIENCE = Duration.ofSeconds(10);
  private static final Duration LEAST_MAINTENANCE_INTERVAL = Duration.ofSeconds(1);
  private static final long TOMBSTONE_MS = 10 * 60_000;

  private StageOptions() {}

  /// Worker address of each application; empty in pull mode.
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
            push.updateBatched() ? push.updateInterval().toMillis() : DEFAULT_UPDATE_MS,
            config.upkeep().deadlineResetSkip().toMillis(),
            SETTLE_MS,
            PARK_HORIZON_MS,
            TOMBSTONE_MS),
        shared,
        config.store().finished().retention().toMillis());
  }

  /// Replies wait for their transaction in either case; status update batching only sets the
  /// configured interval and bound.
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
            : Math.min(pages, SqliteOptions.MAX_VACUUM_PAGES),
        config.store().finished().maxSize());
  }

  /// Default limits of the gRPC server, with fewer connections if the process may open few files.
  static GrpcOptions.Limits grpcLimits(long descriptors) {
    GrpcOptions.Limits usual = GrpcOptions.Limits.DEFAULT;
    return new GrpcOptions.Limits(
        usual.requestBytes(),
        usual.updates(),
        usual.callsPerConnection(),
        FileDescriptors.connections(descriptors, usual.connections()));
  }

  /// Time without progress after which a stage with work makes the broker unready (G9).
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
        // Retries are activations, whatever their source topic holds.
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

  /// Topics to create if missing, and topics that must exist because they will be consumed again.
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

  /// Topics that retries and dead letters are produced to.
  static List<TargetTopic> targetTopics(BrokerConfig config) {
    KafkaConfig kafka = config.kafka();
    if (!kafka.isEnabled()) {
      return List.of();
    }
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

  /// Consumed topics, with their Kafka client properties.
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

  /// Source topic named by canary tasks: the first consumed one by name.
  static String canaryTopic(BrokerConfig config) {
    return sources(config).stream().map(TopicSource::topic).min(naturalOrder()).orElse("");
  }

  /// @param migrate whether to migrate the tables first
  /// @param patience how long to wait for an unreachable server
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
            store.limits().contentionDrainAge(),
            store.finished().maxSize()),
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

  /// Largest message to produce. A record too large to be an activation must still fit into the
  /// dead-letter topic if that accepts it.
  static int largestMessage(BrokerConfig config) {
    return Math.max(config.kafka().maxMessageSize(), LARGEST_DEAD_LETTER);
  }

  /// Client properties per destination. Clusters other than those of the topics use the settings of
  /// the dead-letter cluster (reference-spec 3.7).
  static Function<Destination, @Nullable Map<String, String>> clusters(BrokerConfig config) {
    if (!config.kafka().isEnabled()) {
      return _ -> null;
    }
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

  /// Runtime rules file, if one is configured; otherwise deletes the copy of earlier rules.
  static Optional<RuntimeFile> rulesFile(
      BrokerConfig config, Consumer<Rules> changed, FailureSink failures) {
    Path store = config.store().sqlite().path().toAbsolutePath();
    Path copy = store.resolveSibling(store.getFileName() + ".rules");
    Optional<Path> file = config.ingest().runtimeConfig();
    if (file.isEmpty()) {
      try {
        Files.deleteIfExists(copy);
      } catch (IOException e) {
        throw new IllegalArgumentException(
            "runtime_config_path is not set, but the copy of the previous rules cannot be"
                + " deleted: "
                + e,
            e);
      }
    }
    return file.map(path -> new RuntimeFile(path, copy, ruleContext(config), changed, failures));
  }

  static RuleContext ruleContext(BrokerConfig config) {
    KafkaConfig kafka = config.kafka();
    if (!kafka.isEnabled()) {
      return new RuleContext(kafka.longTopic(), "", false, List.of());
    }
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
