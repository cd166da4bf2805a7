package io.taskbroker;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.admin.AdminServer;
import io.taskbroker.admin.PauseFile;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigException;
import io.taskbroker.config.ConfigLoader;
import io.taskbroker.config.DeliveryMode;
import io.taskbroker.config.Secret;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.config.TelemetryConfig;
import io.taskbroker.control.ControlServer;
import io.taskbroker.deliver.PushClient;
import io.taskbroker.deliver.PushOptions;
import io.taskbroker.engine.CommitListener;
import io.taskbroker.engine.EngineEvents;
import io.taskbroker.engine.EngineLoop;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.engine.StagePorts;
import io.taskbroker.grpc.EnqueuedTemplates;
import io.taskbroker.grpc.GrpcOptions;
import io.taskbroker.grpc.GrpcServer;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.ingest.DeclaredTopics;
import io.taskbroker.ingest.Ingest;
import io.taskbroker.outbox.Outbox;
import io.taskbroker.outbox.OutboxOptions;
import io.taskbroker.outbox.TargetTopics;
import io.taskbroker.rules.OperatorRules;
import io.taskbroker.rules.RulesInForce;
import io.taskbroker.rules.RuntimeFile;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.ServiceGroup;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreCommitter;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.postgres.PostgresStore;
import io.taskbroker.store.sqlite.ReplacedStore;
import io.taskbroker.telemetry.Logging;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.telemetry.StandardStreams;
import io.taskbroker.tls.CertificateWatch;
import io.taskbroker.tls.TlsContext;
import io.taskbroker.tls.TlsException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Composition root: builds every stage, starts them in order and stops them in reverse. The order
/// follows the data flow, receivers first: store, engine, delivery, services, Kafka consumers last.
public final class Broker implements Service {
  private static final Logger log = LoggerFactory.getLogger(Broker.class);
  private static final int MAX_REQUESTS = 8_192;
  private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(1);

  /// Connect timeout of migrations; their operator waits for them.
  private static final Duration MIGRATION_TIMEOUT = Duration.ofMinutes(1);

  private final BrokerConfig config;
  private final StoreModule storage;
  private final Mailbox mailbox;
  private final EngineLoop engine;
  private final RulesInForce inForce;
  private final Optional<RuntimeFile> rules;
  private final OperatorRules operatorRules;
  private final Pauses pauses;
  private final BrokerCondition condition;
  private final ServiceGroup stages;

  Broker(BrokerConfig config, FailureSink failures) {
    this.config = config;
    Optional<TlsContext> serverTls = TlsSettings.server(config);
    Optional<TlsContext> workerTls = TlsSettings.workers(config);
    TlsSettings.plaintextWorkers(config)
        .forEach(application ->
            log.warn(
                "worker_tls is set, but worker_map.{} is not an https URL: its calls are plaintext",
                application));
    this.mailbox = new Mailbox(MAX_REQUESTS);
    CommandSink commands = mailbox.workingIntake();
    var startOffsets = new AtomicReference<Map<SourcePartition, Long>>(Map.of());
    this.storage = StoreModule.open(config, mailbox, startOffsets::get, failures);
    ActivationStore store = storage.store();
    var steps = new TaskSteps(config);
    var telemetry = new Telemetry(config, steps, mailbox, failures);
    this.condition = new BrokerCondition(storage.store().name(), telemetry.metrics());
    Metrics metrics = telemetry.metrics();
    storage.replaced().ifPresent(damaged -> reportReplaced(damaged, metrics));

    var committer =
        new StoreCommitter(
            store,
            StageOptions.commits(config),
            new CommitListener(
                store, commands, config.kafka().deadletterTopic(), metrics, startOffsets::set),
            failures);
    var outbox =
        new Outbox(
            new OutboxOptions(StageOptions.clusters(config), StageOptions.largestMessage(config)),
            mailbox,
            failures);
    List<String> secrets = config.grpc().sharedSecrets().stream().map(Secret::reveal).toList();
    boolean pushes = config.deliveryMode() == DeliveryMode.PUSH;
    var push =
        new PushClient(
            StageOptions.workers(config),
            new PushOptions(
                secrets,
                config.push().timeout(),
                config.grpc().maxMessageSize(),
                workerTls,
                new PushOptions.Connections(
                    config.push().connections(), config.push().connectionAge())),
            commands,
            metrics);
    var schedules =
        new Schedules(
            query -> committer.submit(List.of(), List.of(query)),
            commands,
            new EnqueuedTemplates(),
            storage.shared(),
            metrics,
            failures,
            SystemContext.system());
    var address = new InetSocketAddress(config.grpc().address(), config.grpc().port());
    Optional<GrpcServer> server =
        address.getPort() == 0
            ? Optional.empty()
            : Optional.of(
                new GrpcServer(
                    new GrpcOptions(
                        address,
                        secrets,
                        pushes,
                        StageOptions.grpcLimits(FileDescriptors.limitOfProcess()),
                        serverTls),
                    commands,
                    Optional.of(schedules),
                    metrics));
    var ingest =
        new Ingest(
            StageOptions.sources(config),
            storage.ownership(),
            commands,
            StageOptions.ingest(config, store.name()),
            failures,
            metrics);
    this.engine =
        new EngineLoop(
            StageOptions.inflight(config, storage.shared()),
            mailbox,
            new StagePorts(
                committer::submit,
                push,
                outbox,
                ingest,
                new EngineEvents(metrics, telemetry.traces(), steps.log())),
            InstantSource.system(),
            RandomGenerator.getDefault(),
            failures);
    this.inForce = new RulesInForce(mailbox);
    this.rules = StageOptions.rulesFile(config, inForce::changeFile, failures);
    this.operatorRules =
        new OperatorRules(
            storage.ruleHistory(besideStore(config, ".rules-versions.json")),
            storage.shared(),
            StageOptions.ruleContext(config),
            inForce,
            failures);
    var targetProblems = new TargetProblems();
    var clockWatch = new ClockWatch(InstantSource.system(), Ticker.SYSTEM, metrics);
    var certificates =
        new CertificateWatch(
            TlsSettings.certificates(config),
            InstantSource.system(),
            (key, end) -> metrics.certificateExpiry.of(key).set((double) end.getEpochSecond()));
    var watchdog =
        new Watchdog(
            List.of(
                ingest,
                engine,
                committer,
                outbox,
                new FileDescriptors(FileDescriptors.limitOfProcess())),
            StageOptions.patience(config),
            config.upkeep().healthCheckKillswitched(),
            ready -> {
              server.ifPresent(it -> it.setServing(ready));
              telemetry.setReady(ready);
              condition.setReady(ready);
            },
            new HealthReporter(
                List.of(committer, ingest, targetProblems, clockWatch, certificates),
                metrics,
                InstantSource.system(),
                telemetry::setHealth),
            failures);
    // Stopped in reverse: the engine receives the outcomes of calls and forwards before it stops.
    var order = new ArrayList<>(telemetry.services());
    order.addAll(storage.services());
    order.addAll(List.of(committer, engine, outbox, push));
    rules.ifPresent(order::add);
    order.add(operatorRules);
    order.add(schedules);
    server.ifPresent(order::add);
    int canaries = config.ingest().canaryTasks();
    if (canaries > 0) {
      order.add(
          new Canaries(
              StageOptions.canaryTopic(config), config.workerMap().keySet(), canaries, mailbox));
    }
    var topics = new DeclaredTopics(StageOptions.declaredTopics(config), failures);
    var targets =
        new TargetTopics(
            StageOptions.targetTopics(config),
            StageOptions.consumedTopics(config),
            config.kafka().maxMessageSize(),
            metrics,
            troubles -> {
              targetProblems.accept(troubles);
              condition.setTroubles(troubles);
            },
            failures);
    var control =
        new ControlServer(
            controlSocket(config), config.kafka().topics().keySet(), mailbox, failures);
    order.addAll(List.of(topics, targets, control));
    Path pauseFile = besideStore(config, ".pauses.json");
    this.pauses = new PauseFile(pauseFile).load();
    rules.ifPresent(condition::setRules);
    condition.setWorkers(push, server.orElse(null));
    if (config.admin().address().isPresent()) {
      Path audit = config.admin().auditFile().orElse(besideStore(config, ".audit.jsonl"));
      order.add(
          new AdminServer(
              config,
              TlsSettings.admin(config),
              new AdminServer.FilesOf(audit, pauseFile),
              pauses,
              new AdminServer.Parts(
                  mailbox, storage.browser(), operatorRules, schedules, condition),
              failures));
    }
    order.addAll(List.of(ingest, watchdog));
    if (config.upkeep().auditSampleRecords() > 0) {
      order.add(new AuditSampler(config, metrics, failures));
    }
    this.stages = new ServiceGroup("broker", order);
  }

  private static void reportReplaced(ReplacedStore damaged, Metrics metrics) {
    metrics.storesSetAside.inc();
    log.error(
        "The store {} is damaged: {}. It was renamed to {} together with its log; nothing was"
            + " deleted. The {} activations that could be read are in a new store. The rest is"
            + " read from Kafka again as far as Kafka retains it, so some completed tasks run"
            + " again. Check the disk, and keep the damaged file until you are sure that nothing"
            + " is missing",
        damaged.store(),
        damaged.why(),
        damaged.aside(),
        damaged.rows());
  }

  /// Runs a broker until a signal stops it or one of its stages fails.
  ///
  /// @param config the configuration file; without one, defaults and environment decide
  /// @return the exit code of the process: 0 after a signal; 1 after a failure, with one line on
  ///   standard error that names it, or one line per configuration problem
  public static int run(Optional<Path> config, Map<String, String> environment) {
    StandardStreams.install();
    NameCache.shorten();
    try {
      return runWith(config, environment);
    } finally {
      StandardStreams.flush(FLUSH_TIMEOUT);
    }
  }

  private static int runWith(Optional<Path> config, Map<String, String> environment) {
    long descriptors = FileDescriptors.limitOfProcess();
    if (descriptors <= FileDescriptors.LEAST) {
      System.err.println("taskbroker: " + FileDescriptors.tooFew(descriptors));
      return 1;
    }
    var warnings = new ArrayList<String>();
    BrokerConfig loaded;
    try {
      loaded = ConfigLoader.load(config, environment, warnings::add);
    } catch (ConfigException e) {
      warnings.forEach(warning -> System.err.println("taskbroker: warning: " + warning));
      e.problems().forEach(problem -> System.err.println("taskbroker: " + problem));
      return 1;
    }
    TelemetryConfig.Log logging = loaded.telemetry().log();
    List<String> unknown =
        Logging.configure(logging.filter(), Logging.Format.valueOf(logging.format().name()));
    unknown.forEach(part -> log.warn("log_filter: '{}' is invalid and ignored", part));
    warnings.forEach(log::warn);
    logStart(config, loaded);
    try (NativeLibraryFolder libraries =
        NativeLibraryFolder.open(Path.of(System.getProperty("java.io.tmpdir")))) {
      return runWith(loaded, new Lifecycle(libraries::close));
    } catch (UncheckedIOException e) {
      System.err.println("taskbroker: " + e.getMessage());
      return 1;
    }
  }

  /// Logs version and configuration source; the effective configuration at debug.
  private static void logStart(Optional<Path> file, BrokerConfig loaded) {
    BuildInfo build = BuildInfo.current();
    log.info(
        "taskbroker {} (commit {}), configured by {} (full configuration: taskbroker config"
            + " show):\n{}",
        build.version(),
        build.commit(),
        file.<Object>map(path -> path).orElse("the environment"),
        String.join("\n", loaded.summary()));
    if (log.isDebugEnabled()) {
      log.debug("Effective configuration:\n{}", loaded.effective());
    }
  }

  private static int runWith(BrokerConfig loaded, Lifecycle lifecycle) {
    try {
      return lifecycle.runUntilEnd(() -> new Broker(loaded, lifecycle));
    } catch (StoreException
        | ConfigException
        | TlsException
        | IllegalArgumentException
        | ArithmeticException e) {
      System.err.println("taskbroker: " + e.getMessage());
      return 1;
    }
  }

  /// Reads a configuration and validates it as a start would, without starting anything.
  ///
  /// @param warnings called with one line at a time
  /// @throws ConfigException with every problem found
  public static BrokerConfig check(
      Optional<Path> config, Map<String, String> environment, Consumer<String> warnings) {
    BrokerConfig loaded = ConfigLoader.load(config, environment, warnings);
    var _ = StageOptions.clusters(loaded);
    return loaded;
  }

  /// Creates or migrates the database and its tables, for deployments where brokers do not migrate
  /// at start (reference-spec 4.3).
  ///
  /// @return false if the store is a SQLite file, which needs no migration
  /// @throws StoreException if the migration fails
  public static boolean migrate(BrokerConfig config) {
    if (config.store().adapter() == StoreConfig.Adapter.SQLITE) {
      return false;
    }
    PostgresStore.migrate(StageOptions.postgres(config, true, MIGRATION_TIMEOUT));
    return true;
  }

  /// Control socket of a broker with this configuration.
  public static Path controlSocket(BrokerConfig config) {
    return besideStore(config, ".control");
  }

  /// File beside the SQLite store; with Postgres, where that would be.
  private static Path besideStore(BrokerConfig config, String suffix) {
    Path store = config.store().sqlite().path().toAbsolutePath();
    return store.resolveSibling(store.getFileName() + suffix);
  }

  @Override
  public String name() {
    return "broker";
  }

  @Override
  public void start() {
    long started = System.nanoTime();
    Rules initial =
        inForce.start(rules.map(RuntimeFile::load).orElse(Rules.NONE), operatorRules.load());
    long rows = engine.load(storage.store(), initial, pauses);
    stages.start();
    log.info(
        "Ready in {} ms: {} activations in flight, {} mode",
        (System.nanoTime() - started) / 1_000_000,
        rows,
        config.deliveryMode());
  }

  /// Stops delivery, then lets each stage finish its accepted work.
  @Override
  public void stop() {
    mailbox.submit(new Command.Drain());
    try {
      stages.stop();
    } finally {
      storage.store().close();
    }
  }
}
