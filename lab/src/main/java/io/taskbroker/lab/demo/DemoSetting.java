package io.taskbroker.lab.demo;

import io.taskbroker.lab.rig.LeftOvers;
import io.taskbroker.lab.rig.Mode;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Directory, topics and ports of one demo, and the configuration of its broker.
record DemoSetting(Path dir, int brokerPort, Mode mode, int concurrency, int tasks) {
  static final String APPLICATION = "demo";
  static final String TOPIC = "demo";
  static final String DEAD_LETTER_TOPIC = "demo-dlq";
  static final String GROUP = "taskbroker";
  static final int PARTITIONS = 4;

  private static final int MIN_CONCURRENCY = 1_024;
  private static final int MAX_CONCURRENCY = 16_384;
  private static final int TASKS_A_MILLISECOND = 30;

  /// A setting in which tasks of this duration can run at about 30,000 a second.
  static DemoSetting of(Path dir, Mode mode, int tasks, int millis) {
    int concurrency =
        Math.clamp((long) TASKS_A_MILLISECOND * millis, MIN_CONCURRENCY, MAX_CONCURRENCY);
    return new DemoSetting(dir, Ports.free(), mode, concurrency, tasks);
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

  Path demoLog() {
    return dir.resolve("demo.log");
  }

  Path kafka() {
    return dir.resolve("kafka");
  }

  String brokerAddress() {
    return "127.0.0.1:" + brokerPort;
  }

  LeftOvers leftOvers(String bootstrap) {
    return new LeftOvers(bootstrap, GROUP, Map.of(TOPIC, PARTITIONS));
  }

  void writeConfig(String bootstrap, String workerUrl) throws IOException {
    Files.writeString(
        config(),
        """
        # What `taskbroker demo` ran its broker with: taskbroker -c THIS-FILE
        grpc_addr: 127.0.0.1
        grpc_port: %d
        delivery_mode: %s
        worker_map:
          %s: %s

        kafka_clusters:
          main:
            address: %s
        kafka_topics:
          %s:
            cluster: main
            consumer_group: %s
            auto_commit_interval_ms: 500
          %s:
            cluster: main
            consumer_group: %s
            produce_only: true
        kafka_deadletter_topic: %s
        # A retry is published where the task came from.
        kafka_retry_topic: %s
        kafka_auto_offset_reset: earliest

        # A broker that was down for long gives workers this time to report what they did.
        upkeep_deadline_reset_skip_after_startup_sec: 0

        store:
          adapter: sqlite
          sqlite:
            path: '%s'
          max_processing_count: %d
          max_pending_count: %d
          max_delay_count: %d
          processing_deadline_grace_sec: 1
        """
            .formatted(
                brokerPort,
                mode,
                APPLICATION,
                workerUrl,
                bootstrap,
                TOPIC,
                GROUP,
                DEAD_LETTER_TOPIC,
                GROUP,
                DEAD_LETTER_TOPIC,
                TOPIC,
                database().toString().replace("'", "''"),
                concurrency,
                4 * concurrency,
                Math.max(8_192, tasks)));
  }
}
