package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Files, ports, topics and configuration of one broker process. The names of its topics and group
/// start with that of the set-up, so that many can share one Kafka.
final class BrokerSetup {
  /// Default application of tasks.
  static final String APPLICATION = "app";

  /// Skips optimizations of the compiler, which do not pay off in a short test.
  private static final String QUICK_START = "-XX:TieredStopAtLevel=1";

  private final Path dir;
  private final String name;
  private final int port = Ports.free();
  private final Map<String, String> keys = new LinkedHashMap<>();
  private final List<String> jvmOptions = new ArrayList<>(List.of(QUICK_START));

  private BrokerSetup(Path dir, String name, String bootstrap) {
    this.dir = dir;
    this.name = name;
    with("grpc_addr", "127.0.0.1");
    with("grpc_port", Integer.toString(port));
    with("kafka_auto_offset_reset", "earliest");
    with("kafka_auto_commit_interval_ms", "200");
    with("kafka_deadletter_topic", deadLetters());
    with("upkeep_deadline_reset_skip_after_startup_sec", "3");
    with("store", "{sqlite: {path: \"%s\"}}".formatted(store()));
    with("kafka_clusters", "{main: {address: \"%s\"}}".formatted(bootstrap));
    with(
        "kafka_topics",
        "{%s: {cluster: main, consumer_group: %s}, %s: {cluster: main, consumer_group: %s, produce_only: true}}"
            .formatted(topic(), group(), deadLetters(), group()));
  }

  /// A pull broker.
  ///
  /// @param dir parent of its folder
  static BrokerSetup pull(Path dir, String name, String bootstrap) throws IOException {
    Path own = Files.createDirectories(dir.resolve(name));
    return new BrokerSetup(own, name, bootstrap).with("delivery_mode", "pull");
  }

  /// A push broker with a worker for [#APPLICATION].
  static BrokerSetup push(Path dir, String name, String bootstrap, String worker)
      throws IOException {
    return pull(dir, name, bootstrap)
        .with("delivery_mode", "push")
        .with("worker_map", "{%s: \"%s\"}".formatted(APPLICATION, worker));
  }

  /// Sets a top-level key of the configuration to a YAML value, or replaces it.
  BrokerSetup with(String key, String yaml) {
    keys.put(key, yaml);
    return this;
  }

  /// Adds limits to the store section, as YAML within braces.
  BrokerSetup withStore(String limits) {
    return with("store", "{sqlite: {path: \"%s\"}, %s}".formatted(store(), limits));
  }

  BrokerSetup withJvmOption(String option) {
    jvmOptions.add(option);
    return this;
  }

  String topic() {
    return name + "-tasks";
  }

  String deadLetters() {
    return name + "-dead-letters";
  }

  String group() {
    return name + "-workers";
  }

  int port() {
    return port;
  }

  /// `host:port` of the broker for workers.
  String address() {
    return "127.0.0.1:" + port;
  }

  Path store() {
    return dir.resolve("store.sqlite");
  }

  Path config() {
    return dir.resolve("config.yaml");
  }

  private Path log() {
    return dir.resolve("broker.log");
  }

  /// Starts a process with the current configuration.
  BrokerProcess start() throws IOException {
    writeConfig();
    return startAsIs();
  }

  /// The same with another JVM option, for this start only.
  BrokerProcess startWith(String jvmOption) throws IOException {
    writeConfig();
    return BrokerProcess.start(launch().withJvmOptions(jvmOption));
  }

  /// The same through another command.
  BrokerProcess startInside(String... command) throws IOException {
    writeConfig();
    return BrokerProcess.start(launch().inside(command));
  }

  /// Writes the configuration file, as a start does.
  void writeConfig() throws IOException {
    Files.writeString(
        config(),
        keys.entrySet().stream()
            .map(entry -> entry.getKey() + ": " + entry.getValue())
            .collect(Collectors.joining("\n")));
  }

  /// Starts a process with the existing configuration file.
  BrokerProcess startAsIs() {
    return BrokerProcess.start(launch());
  }

  private BrokerLaunch launch() {
    return BrokerLaunch.ofThisClassPath(config(), port, log())
        .withJvmOptions(jvmOptions.toArray(String[]::new));
  }

  /// All output of the broker's processes.
  List<String> output() throws IOException {
    return new String(Files.readAllBytes(log()), UTF_8).lines().toList();
  }

  /// Lines with the reasons why the broker's processes ended.
  List<String> exitReasons() throws IOException {
    return output().stream().filter(line -> line.startsWith("taskbroker: ")).toList();
  }

  /// A second connection to the store.
  Connection openStore() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + store());
  }

  /// Single number returned by a query on the store.
  long inStore(String query) throws SQLException {
    try (var connection = openStore();
        var statement = connection.createStatement();
        var result = statement.executeQuery(query)) {
      return result.getLong(1);
    }
  }

  /// Tasks in the store, with their status and what shows why they are there.
  List<String> left() throws SQLException {
    var left = new ArrayList<String>();
    try (var connection = openStore();
        var statement = connection.createStatement();
        var result =
            statement.executeQuery(
                "SELECT concat_ws(' ', id, status, processing_attempts, processing_deadline,"
                    + " delay_until) FROM inflight_taskactivations")) {
      while (result.next()) {
        left.add(result.getString(1));
      }
    }
    return left;
  }

  long rows() throws SQLException {
    return inStore("SELECT count(*) FROM inflight_taskactivations");
  }
}
