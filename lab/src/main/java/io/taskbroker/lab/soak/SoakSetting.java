package io.taskbroker.lab.soak;

import io.taskbroker.lab.rig.LeftOvers;
import io.taskbroker.lab.rig.Mode;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Directory, topics and ports of one soak, and the configuration and rules of its broker.
///
/// @param workerPorts of the workers of each application
record SoakSetting(Path dir, Mode mode, int brokerPort, Map<Application, Integer> workerPorts) {
  static final String TASKS = "soak";
  static final String CLICKS = "soak-clicks";
  static final String DEAD_LETTERS = "soak-dlq";
  static final String LONG = "soak-long";
  static final int TASK_PARTITIONS = 4;
  static final int CLICK_PARTITIONS = 2;

  /// Limit of the broker for tasks; larger messages are rejected.
  static final int MAX_MESSAGE_BYTES = 600_000;

  private static final String GROUP = "taskbroker";
  private static final String NO_RULES = "drop_task_killswitch: []\ndemoted_namespaces: []\n";
  private static final String RULES =
      "drop_task_killswitch: [%s]\ndemoted_namespaces: [%s]\n"
          .formatted(Workload.SWITCHED_TASK, Workload.DEMOTABLE_NAMESPACE);
  private static final String BROKEN_RULES = "drop_task_killswitch: [";

  SoakSetting {
    workerPorts = Map.copyOf(workerPorts);
  }

  /// A setting with unused ports.
  static SoakSetting of(Path dir, Mode mode) {
    var workers = new EnumMap<Application, Integer>(Application.class);
    for (Application application : Application.values()) {
      workers.put(application, Ports.free());
    }
    return new SoakSetting(dir, mode, Ports.free(), workers);
  }

  Path config() {
    return dir.resolve("taskbroker.yaml");
  }

  Path database() {
    return dir.resolve("taskbroker.sqlite");
  }

  Path brokerLog() {
    return dir.resolve("broker.log");
  }

  Path soakLog() {
    return dir.resolve("soak.log");
  }

  Path kafka() {
    return dir.resolve("kafka");
  }

  private Path rules() {
    return dir.resolve("rules.yaml");
  }

  String brokerAddress() {
    return "127.0.0.1:" + brokerPort;
  }

  LeftOvers leftOvers(String bootstrap) {
    return new LeftOvers(
        bootstrap, GROUP, Map.of(TASKS, TASK_PARTITIONS, CLICKS, CLICK_PARTITIONS));
  }

  void endRules() throws IOException {
    write(NO_RULES);
  }

  void beginRules() throws IOException {
    write(RULES);
  }

  void breakRules() throws IOException {
    write(BROKEN_RULES);
  }

  private void write(String rules) throws IOException {
    Path fresh = Files.writeString(dir.resolve("rules.fresh"), rules);
    Files.move(fresh, rules(), StandardCopyOption.ATOMIC_MOVE);
  }

  /// Writes the configuration; limits are low, so that bursts reach them.
  void writeConfig(String bootstrap) throws IOException {
    String workerMap =
        new TreeMap<>(workerPorts)
            .entrySet().stream()
                .map(worker ->
                    "  %s: http://127.0.0.1:%d".formatted(worker.getKey(), worker.getValue()))
                .collect(Collectors.joining("\n"));
    Files.writeString(
        config(),
        """
        # What `taskbroker soak` ran its broker with: taskbroker -c THIS-FILE
        grpc_addr: 127.0.0.1
        grpc_port: %d
        delivery_mode: %s
        worker_map:
        %s

        kafka_clusters:
          main: {address: "%s"}
        kafka_topics:
          soak: {cluster: main, consumer_group: taskbroker, auto_commit_interval_ms: 500}
          soak-clicks:
            cluster: main
            consumer_group: taskbroker
            auto_commit_interval_ms: 500
            raw: {namespace: soak, application: %s, taskname: soak.click, processing_deadline_duration: 10}
          soak-dlq: {cluster: main, consumer_group: taskbroker, produce_only: true}
          soak-long: {cluster: main, consumer_group: taskbroker, produce_only: true}
        kafka_deadletter_topic: soak-dlq
        kafka_retry_topic: soak
        kafka_long_topic: soak-long
        kafka_auto_offset_reset: earliest
        max_message_size: %d
        metrics_addr: 127.0.0.1:0
        runtime_config_path: '%s'
        upkeep_deadline_reset_skip_after_startup_sec: 2
        maintenance_task_interval_ms: 1000

        store:
          adapter: sqlite
          sqlite:
            path: '%s'
          max_pending_count: 500
          max_processing_count: 500
          max_delay_count: 100
          max_processing_attempts: 20
          processing_deadline_grace_sec: 1
        """
            .formatted(
                brokerPort,
                mode,
                workerMap,
                bootstrap,
                Application.CLICKS,
                MAX_MESSAGE_BYTES,
                quoted(rules()),
                quoted(database())));
    endRules();
  }

  private static String quoted(Path path) {
    return path.toString().replace("'", "''");
  }
}
