package io.taskbroker.lab.soak;

import io.taskbroker.testkit.EmbeddedKafka;
import java.nio.file.Path;

/// The Kafka node of a soak, which can be stopped and restarted. Owned by one thread.
final class RestartableKafka implements AutoCloseable {
  private final Path dir;
  private EmbeddedKafka node;

  RestartableKafka(Path dir) {
    this.dir = dir;
    node = EmbeddedKafka.start(dir);
  }

  void createTopics() {
    node.createTopic(SoakSetting.TASKS, SoakSetting.TASK_PARTITIONS);
    node.createTopic(SoakSetting.CLICKS, SoakSetting.CLICK_PARTITIONS);
    node.createTopic(SoakSetting.DEAD_LETTERS, 1);
    node.createTopic(SoakSetting.LONG, 1);
  }

  String bootstrap() {
    return node.bootstrap();
  }

  void stop() {
    node.stop();
  }

  /// Restarts the node with its data.
  void start() {
    node = EmbeddedKafka.startOnPort(dir, node.port());
  }

  @Override
  public void close() {
    node.close();
  }
}
