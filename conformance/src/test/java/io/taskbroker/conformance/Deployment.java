package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;

/// One broker, its topics, and the processes of an application that works with it, all with names
/// of their own. Not thread-safe.
final class Deployment implements AutoCloseable {
  /// Of each worker.
  static final int CONCURRENCY = 4;

  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration STOP = Duration.ofSeconds(30);
  private static final int PARTITIONS = 2;
  private static final String LARGEST_MESSAGE = "10000000";

  private final String name;
  private final boolean push;
  private final PythonEnvironment python;
  private final Path dir;
  private final Topics topics;
  private final int port = Ports.free();
  private final int workerPort = Ports.free();
  private final Map<String, String> config = new LinkedHashMap<>();
  private final Map<String, String> environment = new HashMap<>();
  private final List<PythonProcess> processes = new ArrayList<>();
  private @Nullable BrokerProcess broker;

  private Deployment(EmbeddedKafka kafka, String name, boolean push, PythonEnvironment python) {
    this.name = name;
    this.push = push;
    this.python = python;
    dir = Folders.make(name);
    topics = new Topics(kafka.bootstrap());
    kafka.createTopic(topic(tasks(), PARTITIONS));
    kafka.createTopic(topic(deadLetterTopic(), 1));
    with("delivery_mode", push ? "push" : "pull");
    with("worker_map", "{conformance: \"http://127.0.0.1:%d\"}".formatted(workerPort));
    with("grpc_addr", "127.0.0.1");
    with("grpc_port", Integer.toString(port));
    with("kafka_auto_offset_reset", "earliest");
    with("kafka_auto_commit_interval_ms", "200");
    with("kafka_deadletter_topic", deadLetterTopic());
    with("upkeep_deadline_reset_skip_after_startup_sec", "1");
    with("store", "{sqlite: {path: \"%s\"}}".formatted(store()));
    with("kafka_clusters", "{main: {address: \"%s\"}}".formatted(kafka.bootstrap()));
    with(
        "kafka_topics",
        "{%s: {cluster: main, consumer_group: %s}, %s: {cluster: main, consumer_group: %s, produce_only: true}}"
            .formatted(tasks(), name, deadLetterTopic(), name));
    environment.put("CONFORMANCE_BOOTSTRAP", kafka.bootstrap());
    environment.put("CONFORMANCE_TOPIC", tasks());
    environment.put("CONFORMANCE_BROKER", "127.0.0.1:" + port);
    environment.put("CONFORMANCE_WORKER_PORT", Integer.toString(workerPort));
    environment.put("CONFORMANCE_CONCURRENCY", Integer.toString(CONCURRENCY));
    environment.put("CONFORMANCE_JOURNAL", journal().file().toString());
    environment.put("CONFORMANCE_MODULES", "conformance.basic_tasks");
  }

  /// A broker that workers of a version of the client ask for tasks.
  static Deployment pull(EmbeddedKafka kafka, String name, PythonEnvironment python) {
    return new Deployment(kafka, name, false, python);
  }

  /// A broker that pushes tasks to a worker.
  static Deployment push(EmbeddedKafka kafka, String name, PythonEnvironment python) {
    return new Deployment(kafka, name, true, python);
  }

  /// Sets a key of the broker's configuration to a value in YAML.
  Deployment with(String key, String yaml) {
    config.put(key, yaml);
    return this;
  }

  /// Sets how long the broker waits for a report beyond the deadline of a task.
  Deployment withGrace(int seconds) {
    return with(
        "store",
        "{sqlite: {path: \"%s\"}, processing_deadline_grace_sec: %d}".formatted(store(), seconds));
  }

  /// Has the broker accept signatures by these secrets, and sign with the first of them.
  Deployment withBrokerSecrets(String... secrets) {
    return with("grpc_shared_secret", list(secrets));
  }

  /// The same for workers that are started from now on.
  Deployment withWorkerSecrets(String... secrets) {
    environment.put("CONFORMANCE_SECRETS", list(secrets));
    return this;
  }

  /// Has the application know the tasks that only the current client can register, too.
  Deployment withAllTasks() {
    environment.put("CONFORMANCE_MODULES", "conformance.basic_tasks,conformance.tasks");
    return this;
  }

  Deployment startBroker() throws IOException {
    Path file =
        Files.writeString(
            dir.resolve("config.yaml"),
            config.entrySet().stream()
                .map(entry -> entry.getKey() + ": " + entry.getValue())
                .collect(Collectors.joining("\n")));
    broker =
        BrokerProcess.start(
            BrokerLaunch.ofThisClassPath(file, port, dir.resolve("broker.log"))
                .withJvmOptions("-XX:TieredStopAtLevel=1"));
    return this;
  }

  /// Starts a worker, and does not wait for it. One that pulls is started when the broker serves:
  /// after three vain calls it would not try again for twenty seconds.
  PythonProcess startWorker() throws InterruptedException {
    if (!push) {
      broker().awaitServing(START);
    }
    return start(push ? "push" : "pull");
  }

  /// Starts a worker, and returns when its children are ready to run tasks.
  PythonProcess startReadyWorker() throws InterruptedException {
    long before = readyChildren();
    PythonProcess worker = startWorker();
    await().atMost(START).until(() -> !worker.isAlive() || readyChildren() >= before + CONCURRENCY);
    assertThat(worker.isAlive()).as("the worker lives").isTrue();
    return worker;
  }

  /// A worker that takes so many calls at a time, answers each when its task is done, and dies of
  /// some tasks, and comes back.
  PythonProcess startLimitedWorker(int calls, Duration each) throws InterruptedException {
    environment.put("CONFORMANCE_CALLS", Integer.toString(calls));
    environment.put("CONFORMANCE_MILLIS", Long.toString(each.toMillis()));
    return start("limited");
  }

  PythonProcess startScheduler() throws InterruptedException {
    return start("schedule");
  }

  /// The side that publishes; it knows some tasks that the workers do not.
  Dispatcher startDispatcher() throws InterruptedException {
    Map<String, String> own = new HashMap<>(environment);
    own.merge("CONFORMANCE_MODULES", ",conformance.unknown_tasks", String::concat);
    PythonProcess process = PythonProcess.startTalking(python, "produce", own, dir);
    processes.add(process);
    return new Dispatcher(process);
  }

  /// `host:port` of the broker for workers.
  String brokerAddress() {
    return "127.0.0.1:" + port;
  }

  Journal journal() {
    return new Journal(dir.resolve("journal.jsonl"));
  }

  /// All messages that were ever in the topic of the tasks.
  List<TaskActivation> published() throws Exception {
    return activations(tasks(), PARTITIONS);
  }

  List<TaskActivation> deadLetters() throws Exception {
    return activations(deadLetterTopic(), 1);
  }

  /// Waits until the broker has taken in all there is, and has nothing in flight: whatever happens
  /// to a task has happened.
  void awaitNothingInFlight(Duration limit) {
    await()
        .atMost(limit)
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(() -> {
          assertThat(topics.committed(name)).isEqualTo(topics.ends(tasks(), PARTITIONS));
          assertThat(rows(store())).isZero();
          // A retry may have come in between.
          assertThat(topics.committed(name)).isEqualTo(topics.ends(tasks(), PARTITIONS));
        });
  }

  /// Stops the broker; its exit code.
  int stopBroker() throws InterruptedException {
    return broker().stop(STOP);
  }

  /// SIGKILL to the broker, and another one at once, with the same store.
  void killAndRestartBroker() {
    broker = broker().restart();
  }

  private BrokerProcess broker() {
    if (broker == null) {
      throw new IllegalStateException("No broker was started");
    }
    return broker;
  }

  @Override
  public void close() {
    for (PythonProcess process : processes) {
      process.close();
    }
    if (broker != null) {
      broker.close();
    }
    topics.close();
  }

  private PythonProcess start(String program) throws InterruptedException {
    PythonProcess process = PythonProcess.start(python, program, environment, dir);
    processes.add(process);
    return process;
  }

  private long readyChildren() {
    return journal().notes("loaded").count();
  }

  /// Number of tasks of which the store says that a worker has them.
  int running() throws SQLException {
    return count(store(), "WHERE status = 'Processing'");
  }

  /// Number of tasks in a store.
  static int rows(Path store) throws SQLException {
    return count(store, "");
  }

  private static int count(Path store, String which) throws SQLException {
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + store);
        var statement = connection.createStatement();
        var count =
            statement.executeQuery("SELECT count(*) FROM inflight_taskactivations " + which)) {
      return count.getInt(1);
    }
  }

  private List<TaskActivation> activations(String topic, int partitions) throws Exception {
    var activations = new ArrayList<TaskActivation>();
    for (byte[] value : topics.read(topic, partitions)) {
      activations.add(parse(value));
    }
    return activations;
  }

  private static TaskActivation parse(byte[] value) throws InvalidProtocolBufferException {
    return TaskActivation.parseFrom(value);
  }

  private static NewTopic topic(String name, int partitions) {
    return new NewTopic(name, partitions, (short) 1)
        .configs(Map.of("max.message.bytes", LARGEST_MESSAGE));
  }

  private static String list(String... items) {
    return List.of(items).stream()
        .map(item -> '"' + item + '"')
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private String tasks() {
    return name + "-tasks";
  }

  private String deadLetterTopic() {
    return name + "-dead-letters";
  }

  private Path store() {
    return dir.resolve("store.sqlite");
  }
}
