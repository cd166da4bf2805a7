package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Records behind an application at its limit: the reader looks at them in Kafka, and reads each of
/// them once (H13, docs/adr/0015).
@Timeout(240)
final class LookaheadTest {
  private static final int WINDOW = 50;
  private static final int BACKLOG = 500;

  @TempDir private static Path dir;
  private static EmbeddedKafka kafka;
  private static Cluster cluster;

  private final ScriptedEngine engine = new ScriptedEngine().holding();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<Ingest> started = new ArrayList<>();

  @BeforeAll
  static void startKafka() {
    kafka = EmbeddedKafka.start(dir);
    cluster = new Cluster(kafka.bootstrap());
  }

  @AfterAll
  static void stopKafka() {
    cluster.close();
    kafka.close();
  }

  @AfterEach
  void stop() {
    started.forEach(Ingest::stop);
    assertThat(failures).isEmpty();
  }

  @Test
  void h13ADistantNeighbourIsSeenAndEveryRecordIsReadOnce() throws Exception {
    start("behind", 1);
    produce("behind", 0, "dead", BACKLOG);
    SourcePartition partition = standsFor("dead");
    produce("behind", 0, "live", 1);
    produce("behind", 0, "other", 1);

    awaitNeighbour();
    assertThat(neighbours()).containsOnly(new Command.LookaheadFound(partition, BACKLOG));
    assertThat(engine.mostOutstanding()).as("handed over").isLessThan(WINDOW + 20);
    engine.settleAll();
    await().until(() -> engine.offsets(0).size() >= BACKLOG + 2);
    assertThat(engine.offsets(0)).isEqualTo(LongStream.range(0, BACKLOG + 2).boxed().toList());
    await().until(() -> cluster.committed("g", "behind", 0) == BACKLOG + 2);
  }

  @Test
  void h13ANeighbourInAnotherPartitionIsSeen() throws Exception {
    start("beside", 2);
    produce("beside", 0, "dead", BACKLOG);
    SourcePartition _ = standsFor("dead");
    produce("beside", 1, "dead", 1);
    produce("beside", 1, "live", 1);
    awaitNeighbour();
    assertThat(neighbours()).containsOnly(new Command.LookaheadFound(engine.partition(1), 1));
    engine.settleAll();
    await().until(() -> engine.offsets(1).size() == 2);
  }

  @Test
  void h13SkippedRecordsAreLookedAtAgainForAnApplicationWithRoom() throws Exception {
    start("again", 2);
    produce("again", 0, "dead", BACKLOG);
    SourcePartition partition = standsFor("dead");
    started.getFirst().waitsForRoom(engine.partition(1), "slow");
    produce("again", 0, "slow", 1);
    produce("again", 0, "live", 1);
    awaitNeighbour();
    assertThat(neighbours()).containsOnly(new Command.LookaheadFound(partition, BACKLOG + 1));

    started.getFirst().waitsForRoom(engine.partition(1), null);
    engine.settleAll();
    await().until(() -> engine.offsets(0).size() == BACKLOG + 2);
  }

  @Test
  void h13NoLookaheadWhileTheEngineMakesProgress() throws Exception {
    engine.settleAll();
    start("works", 1);
    produce("works", 0, "dead", BACKLOG);
    await().until(() -> engine.isAssigned(0));
    started.getFirst().waitsForRoom(engine.partition(0), "dead");
    produce("works", 0, "live", 1);
    await().until(() -> engine.offsets(0).size() == BACKLOG + 1);
    assertThat(neighbours()).isEmpty();
  }

  private List<Command.LookaheadFound> neighbours() {
    return engine.commands(Command.LookaheadFound.class);
  }

  /// Repeats the engine's report, since a busy machine may lose its partitions meanwhile.
  private void awaitNeighbour() {
    await()
        .until(() -> {
          started.getFirst().waitsForRoom(engine.partition(0), "dead");
          return !neighbours().isEmpty();
        });
  }

  /// Makes the engine full, and reports the application that it waits for.
  private SourcePartition standsFor(String application) {
    await().until(() -> engine.mostOutstanding() >= WINDOW);
    SourcePartition partition = engine.partition(0);
    started.getFirst().waitsForRoom(partition, application);
    return partition;
  }

  private void start(String topic, int partitions) {
    kafka.createTopic(topic, partitions);
    var source =
        new TopicSource(
            topic,
            "g",
            Map.of("bootstrap.servers", kafka.bootstrap()),
            Duration.ofSeconds(6),
            Duration.ofMillis(100),
            "earliest");
    var ingest =
        new Ingest(
            List.of(source),
            PartitionOwnership.sole(List.of(), Map::of),
            engine,
            new IngestOptions("broker-1", 3600, 100_000, WINDOW, 1_000_000, 10),
            (_, failure) -> failures.add(failure),
            new Metrics());
    engine.attach(ingest);
    started.add(ingest);
    ingest.start();
  }

  private static void produce(String topic, int partition, String application, int count)
      throws Exception {
    for (int i = 0; i < count; i++) {
      var task =
          TaskActivation.newBuilder()
              .setId(application + "-" + i)
              .setTaskname("task")
              .setApplication(application);
      cluster.produce(topic, partition, task.build().toByteArray());
    }
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(60));
  }
}
