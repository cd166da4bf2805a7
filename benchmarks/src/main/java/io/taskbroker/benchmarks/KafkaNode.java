package io.taskbroker.benchmarks;

import io.taskbroker.testkit.EmbeddedKafka;
import java.io.IOException;
import java.nio.file.Path;

/// Main class of the Kafka process: starts a node with the topics of a run, prints its address on
/// one line, and stops at the end of its input, which is the death of its parent.
final class KafkaNode {
  private KafkaNode() {}

  /// @param args data directory, then topics as `name:partitions`
  public static void main(String[] args) throws IOException {
    BenchmarksMain.quiet();
    try (var kafka = EmbeddedKafka.start(Path.of(args[0]))) {
      for (int i = 1; i < args.length; i++) {
        String[] topic = args[i].split(":", 2);
        kafka.createTopic(topic[0], Integer.parseInt(topic[1]));
      }
      System.out.println(kafka.bootstrap());
      while (System.in.read() >= 0) {
        // Input is ignored until its end.
      }
    }
  }
}
