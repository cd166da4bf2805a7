package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// Environment of one run: Kafka, Postgres if needed, and the broker in separate processes; the
/// workers in this one. Not thread-safe.
final class BenchmarkEnvironment implements AutoCloseable {
  static final String TOPIC = "bench";
  static final String REHEARSAL = "rehearsal";
  static final String APPLICATION = "bench";
  static final String DEAD = "dead";
  static final String SLOW = "slow";

  private static final int PARTITIONS = 4;
  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration STOP = Duration.ofSeconds(30);
  private static final Duration SLOW_TASK = Duration.ofSeconds(10);
  private static final int SLOW_PLACES = 64;
  private static final List<String> KAFKA_OPTIONS =
      List.of("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4");

  private final Scenario scenario;
  private final Path dir;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final ChildProcess kafka;
  private final String bootstrap;
  private Optional<BenchmarkPostgres> postgres = Optional.empty();
  private Stage stage = Stage.of(TOPIC);

  private BenchmarkEnvironment(Scenario scenario, Path dir) throws IOException {
    this.scenario = scenario;
    this.dir = dir;
    kafka =
        open(
            ChildProcess.startJava(
                "kafka",
                KAFKA_OPTIONS,
                List.of(
                    KafkaNode.class.getName(),
                    dir.resolve("kafka").toString(),
                    TOPIC + ":" + PARTITIONS,
                    REHEARSAL + ":" + PARTITIONS,
                    TOPIC + "-dlq:1"),
                dir.resolve("kafka.log")));
    bootstrap = kafka.firstLine();
  }

  /// Starts everything except the broker and the workers.
  static BenchmarkEnvironment open(Scenario scenario, Path dir)
      throws IOException, InterruptedException {
    var world = new BenchmarkEnvironment(scenario, dir);
    if (scenario.store() == Scenario.Store.POSTGRES) {
      world.postgres = Optional.of(world.open(BenchmarkPostgres.start(dir)));
    }
    return world;
  }

  private <T extends AutoCloseable> T open(T resource) {
    opened.push(resource);
    return resource;
  }

  String bootstrap() {
    return bootstrap;
  }

  int metricsPort() {
    return stage.metricsPort();
  }

  int adminPort() {
    return stage.adminPort();
  }

  ChildProcess kafka() {
    return kafka;
  }

  /// Processes whose fsyncs belong to the broker's store.
  List<Long> storingPids(ChildProcess broker) {
    return postgres.map(BenchmarkPostgres::pids).orElse(List.of(broker.pid()));
  }

  /// Starts a broker of a topic and its workers; both serve when this returns.
  ///
  /// @param log records what the workers do
  ChildProcess startBroker(String topic, ExecutionLog log)
      throws IOException, InterruptedException {
    stage = Stage.of(topic);
    Behaviour behaviour = Behaviour.completing(Duration.ofMillis(scenario.millis()));
    var options =
        WorkerOptions.of("127.0.0.1:" + stage.brokerPort())
            .withConcurrency(scenario.concurrency())
            .withReportBatch(scenario.reportBatch());
    boolean push = scenario.mode() == Scenario.Mode.PUSH;
    String url =
        push ? open(PushWorker.start(options, behaviour, log)).url() : "http://127.0.0.1:1";
    Files.writeString(config(), configuration(url), UTF_8);
    List<String> command =
        scenario.broker().command().stream()
            .map(part -> part.replace("{config}", config().toString()))
            .toList();
    ChildProcess broker =
        open(ChildProcess.start("broker", command, scenario.broker().environment(), brokerLog()));
    broker.awaitPort(stage.brokerPort(), START);
    if (scenario.neighbours().snapshot()) {
      postgres.ifPresent(server -> open(server.holdSnapshot(topic)));
    }
    if (!push) {
      open(PullWorker.start(options, APPLICATION, behaviour, log));
    }
    return broker;
  }

  int stop(ChildProcess broker) throws InterruptedException {
    return broker.stop(STOP);
  }

  Path config() {
    return dir.resolve("config.yaml");
  }

  private Path database() {
    return dir.resolve(stage.topic() + ".sqlite");
  }

  private Path brokerLog() {
    return dir.resolve("broker.log");
  }

  /// A configuration that the reference can read, too; each ignores the keys that only the other
  /// knows.
  private String configuration(String workerUrl) {
    int handedOut = 2 * scenario.concurrency();
    return """
    grpc_addr: 127.0.0.1
    grpc_port: %d
    metrics_addr: 127.0.0.1:%d
    delivery_mode: %s
    worker_map:
      %s: %s
    %s%skafka_clusters:
      main:
        address: %s
    kafka_topics:
      %s: {cluster: main, consumer_group: %s}
      %s: {cluster: main, consumer_group: bench, produce_only: true}
    kafka_deadletter_topic: %s
    kafka_retry_topic: %s
    kafka_auto_offset_reset: earliest
    store:
      max_processing_count: %d
      max_pending_count: %d
      max_delay_count: %d
    %s\
    """
        .formatted(
            stage.brokerPort(),
            stage.metricsPort(),
            scenario.mode().name().toLowerCase(java.util.Locale.ROOT),
            APPLICATION,
            workerUrl,
            neighbours(),
            admin(),
            bootstrap,
            stage.topic(),
            stage.topic(),
            TOPIC + "-dlq",
            TOPIC + "-dlq",
            stage.topic(),
            handedOut,
            2 * handedOut,
            2 * handedOut,
            store());
  }

  private String admin() {
    return scenario.neighbours().operated()
        ? "admin: {addr: \"127.0.0.1:%d\", requests_per_second: 10000}%n"
            .formatted(stage.adminPort())
        : "";
  }

  private String neighbours() {
    if (scenario.neighbours().rate() + scenario.neighbours().waiting() == 0) {
      return "";
    }
    var options =
        WorkerOptions.of("127.0.0.1:" + stage.brokerPort())
            .withConcurrency(SLOW_PLACES)
            .withReportBatch(64);
    var slow =
        open(PushWorker.start(options, Behaviour.completing(SLOW_TASK), new ExecutionLog(1)));
    return "  %s: http://127.0.0.1:%d%n  %s: %s%n".formatted(DEAD, Ports.free(), SLOW, slow.url());
  }

  private String store() {
    if (postgres.isEmpty()) {
      return """
        adapter: sqlite
        sqlite: {path: '%s'}
      """
          .formatted(database());
    }
    return """
      adapter: postgres
      pg:
        host: 127.0.0.1
        port: %d
        username: %s
        ddl_username: %s
        password: none
        ddl_password: none
        database_name: %s
        default_database_name: postgres
        run_migrations: true
    """
        .formatted(
            postgres.get().port(), BenchmarkPostgres.USER, BenchmarkPostgres.USER, stage.topic());
  }

  /// Stops everything that still runs.
  @Override
  public void close() {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException("Could not end a part of the run", e);
      }
    }
    try {
      Files.deleteIfExists(database());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Resources of one broker.
  private record Stage(String topic, int brokerPort, int metricsPort, int adminPort) {
    static Stage of(String topic) {
      return new Stage(topic, Ports.free(), Ports.free(), Ports.free());
    }
  }
}
