package io.taskbroker.benchmarks;

import io.taskbroker.testkit.EmbeddedKafka;
import java.io.IOException;
import java.nio.file.Path;

/// The main class of the Kafka process: starts a node with the topics of a run, says where it is in
/// one line, and stops when its input ends, as it does when who started it has died.
final class KafkaNode {
  private KafkaNode() {}

  /// @param args the directory of its data, then topics as `name:partitions`
  public static void main(String[] args) throws IOException {
    BenchmarksMain.quiet();
    try (var kafka = EmbeddedKafka.start(Path.of(args[0]))) {
      for (int i = 1; i < args.length; i++) {
        String[] topic = args[i].split(":", 2);
        kafka.createTopic(topic[0], Integer.parseInt(topic[1]));
      }
      System.out.println(kafka.bootstrap());
      while (System.in.read() >= 0) {
        // Only its end means something.
      }
    }
  }
}
