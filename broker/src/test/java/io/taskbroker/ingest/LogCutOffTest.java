package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.LogCapture;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Folders;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Truncated log of a real Kafka: 50 records are done and committed, then the log has only the
/// first 30, and new records get the offsets of the others (docs/adr/0012).
@Timeout(240)
final class LogCutOffTest {
  private static final int KEPT = 30;
  private static final int DONE = 50;
  private static final String TOPIC = "tasks";
  private static final String GROUP = "group";

  @TempDir private Path dir;
  private Path data;
  private Path copy;
  private int port;
  private EmbeddedKafka kafka;
  private final ScriptedEngine engine = new ScriptedEngine();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<Ingest> started = new ArrayList<>();
  @RegisterExtension private final LogCapture log = LogCapture.of("io.taskbroker.ingest");

  /// Part of Kafka that goes back.
  enum Rewound {
    /// The partition alone, as after an unclean election: the cluster and its epochs go on.
    PARTITION,
    /// Everything, committed offsets and epochs included, as with a restored volume.
    VOLUME
  }

  @BeforeEach
  void fill() throws Exception {
    data = dir.resolve("kafka");
    copy = dir.resolve("copy");
    port = Ports.free();
    kafka = EmbeddedKafka.startOnPort(data, port);
    kafka.createTopic(TOPIC, 1);
  }

  @AfterEach
  void stop() {
    started.forEach(Ingest::stop);
    kafka.close();
    assertThat(failures).isEmpty();
  }

  @ParameterizedTest(name = "{0}, broker running: {1}, {2} new records before it reads")
  @CsvSource({
    "PARTITION, false, 0",
    "PARTITION, false, 10",
    "PARTITION, false, 20",
    "PARTITION, false, 40",
    "PARTITION, true, 0",
    "PARTITION, true, 10",
    "PARTITION, true, 40",
    "VOLUME, false, 0",
    "VOLUME, false, 10",
    "VOLUME, false, 20",
    "VOLUME, false, 40",
    "VOLUME, true, 10",
    "VOLUME, true, 40",
  })
  void g1g3ReadsOnWhereTheLogPartsFromWhatWasRead(Rewound rewound, boolean running, int before)
      throws Exception {
    Ingest first = start();
    produce(KEPT);
    awaitCommitted(KEPT);
    if (running) {
      kafka.stop();
    } else {
      first.stop();
      kafka.stop();
    }
    save(rewound);
    kafka = EmbeddedKafka.startOnPort(data, port);
    if (!running) {
      first = start(stored());
    }
    produce(DONE - KEPT);
    awaitCommitted(DONE);
    Watermark watermark = stored();
    assertThat(engine.offsets(0)).isEqualTo(offsets(0, DONE));
    if (!running) {
      first.stop();
    }
    kafka.stop();
    putBack(rewound);
    engine.forgetCommands();
    kafka = EmbeddedKafka.startOnPort(data, port);
    produce(before);
    if (!running) {
      var _ = start(watermark);
    }
    await().until(() -> !engine.commands(Command.PartitionAssigned.class).isEmpty());
    produce(5);

    await().until(() -> engine.offsets(0).contains(KEPT + before + 4L));
    assertThat(engine.offsets(0)).isEqualTo(offsets(KEPT, KEPT + before + 5));
    awaitCommitted(KEPT + before + 5);
    Command.PartitionAssigned assigned = engine.commands(Command.PartitionAssigned.class).getLast();
    assertThat(assigned.committed()).isEqualTo(KEPT);
    if (rewound == Rewound.PARTITION) {
      assertThat(assigned.reached()).as("upper bound of possible reruns").isEqualTo(KEPT);
    }
    assertThat(log.lines()).anyMatch(line -> line.contains("was cut off below what was read"));
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(20));
  }

  private static List<Long> offsets(long first, long end) {
    return LongStream.range(first, end).boxed().toList();
  }

  private void produce(int count) throws Exception {
    try (var cluster = new Cluster(kafka.bootstrap())) {
      cluster.produceMany(TOPIC, 0, count);
    }
  }

  private void awaitCommitted(long offset) throws Exception {
    try (var cluster = new Cluster(kafka.bootstrap())) {
      await().until(() -> cluster.committed(GROUP, TOPIC, 0) == offset);
    }
  }

  /// Watermark that the store of the engine would have.
  private Watermark stored() {
    Command.Ingest last =
        engine.commands(Command.Ingest.class).stream()
            .filter(each -> each.last() != null)
            .reduce((_, later) -> later)
            .orElseThrow();
    return new Watermark(last.partition(), last.nextOffset(), last.nextOffset(), last.last());
  }

  private void save(Rewound rewound) throws IOException {
    Files.createDirectories(copy);
    Folders.copy(of(rewound, data), copy.resolve("kept"));
  }

  private void putBack(Rewound rewound) throws IOException {
    Folders.delete(of(rewound, data));
    Folders.copy(copy.resolve("kept"), of(rewound, data));
  }

  private static Path of(Rewound rewound, Path folder) {
    return rewound == Rewound.VOLUME ? folder : folder.resolve(TOPIC + "-0");
  }

  private Ingest start(Watermark... stored) {
    var source =
        new TopicSource(
            TOPIC,
            GROUP,
            Map.of("bootstrap.servers", kafka.bootstrap()),
            Duration.ofSeconds(6),
            Duration.ofMillis(100),
            "earliest");
    var ingest =
        new Ingest(
            List.of(source),
            PartitionOwnership.sole(List.of(stored), Map::of),
            engine,
            new IngestOptions("broker-1", 3600, 100_000, 1000, 1_000_000, 100),
            (_, failure) -> failures.add(failure),
            new Metrics());
    engine.attach(ingest);
    started.add(ingest);
    ingest.start();
    return ingest;
  }
}
