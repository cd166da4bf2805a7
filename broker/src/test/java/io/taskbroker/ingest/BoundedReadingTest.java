package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.LogCapture;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.fuzz.Cost;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Records of a real Kafka that are oversized, oversized together, or unreadable (G1, G7, G8, G9).
@Timeout(240)
final class BoundedReadingTest {
  private static final int MAX_MESSAGE = 100_000;
  private static final IntakeLimits LIMITS =
      new IntakeLimits(1_000_000, 3_000_000, 1_000_000, 400_000, 1_000_000, 64 << 20);

  @TempDir private static Path dir;
  private static EmbeddedKafka kafka;
  private static Cluster cluster;
  private static final AtomicInteger topics = new AtomicInteger();

  @RegisterExtension private final LogCapture log = LogCapture.of("io.taskbroker.ingest");
  private final String topic = "bounded-" + topics.incrementAndGet();
  private final String group = "group-of-" + topic;
  private final ScriptedEngine engine = new ScriptedEngine();
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

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void g7ARecordThatIsTooLargeIsADeadLetterAndItsNeighboursAreTasks(String codec) throws Exception {
    create(1);
    produce(
        codec,
        Cluster.activation("before"),
        new byte[20 << 20],
        new byte[200_000],
        Cluster.activation("after"));
    start();

    await().until(() -> cluster.committed(group, topic, 0) == 4);
    List<Command.IngestedRecord> arrivals = engine.arrivals(0);
    assertThat(engine.offsets(0)).containsExactly(0L, 1L, 2L, 3L);
    assertThat(arrivals.get(0).undecodable()).isNull();
    assertThat(arrivals.get(1).undecodable())
        .isEqualTo("a value of " + (20 << 20) + " bytes is more than 400000");
    assertThat(arrivals.get(1).activation().payload()).isEmpty();
    assertThat(arrivals.get(2).undecodable())
        .isEqualTo("200000 bytes are more than " + MAX_MESSAGE);
    assertThat(arrivals.get(2).activation().payload()).hasSize(200_000);
    assertThat(arrivals.get(3).undecodable()).isNull();
    assertThat(log.lines())
        .filteredOn(line -> line.startsWith("WARN Record 1 of " + topic + "-0 is not read"))
        .hasSize(1);
  }

  @Test
  void g7TheLogProbeAllocatesNoValue() throws Exception {
    create(1);
    produce("zstd", Cluster.activation("before"), new byte[20 << 20]);
    start();
    await().until(() -> cluster.committed(group, topic, 0) == 2);
    RecordIdentity last =
        Objects.requireNonNull(engine.commands(Command.Ingest.class).getLast().last());
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrap()))) {
      var probe = new KafkaLogProbe(source(topic), admin, LIMITS.fetch(false));
      var read = Map.of(new TopicPartition(topic, 0), last);
      assertThat(Cost.within(10 << 20, () -> probe.check(read))).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void g7RecordsThatAreSmallEachAreNotTakenAllAtOnce(String codec) throws Exception {
    engine.holding();
    create(1);
    byte[][] values = new byte[100][90_000];
    produce(codec, values);
    start();

    await()
        .alias("bytes read ahead")
        .during(Duration.ofMillis(300))
        .untilAsserted(() -> assertThat(taken()).isBetween(500_000L, 1_100_000L));
    engine.settleAll();
    await()
        .untilAsserted(() ->
            assertThat(engine.offsets(0)).isEqualTo(LongStream.range(0, 100).boxed().toList()));
    assertThat(engine.commands(Command.Ingest.class))
        .allSatisfy(each -> assertThat(each.bytes()).isLessThanOrEqualTo(1_000_000));
  }

  @Test
  void g7LargeRecordsOfManyTopicsWaitForEachOther() throws Exception {
    engine.holding();
    var sources = new ArrayList<TopicSource>();
    for (int i = 0; i < 5; i++) {
      kafka.createTopic(large(topic + i, 1));
      produce(topic + i, "zstd", new byte[390_000], new byte[390_000], new byte[390_000]);
      sources.add(source(topic + i));
    }
    var limits = new IntakeLimits(400_000, 1_000_000, 1_000_000, 400_000, 1_000_000, 64 << 20);
    start(sources, limits);

    await()
        .alias("bytes of all topics")
        .during(Duration.ofMillis(300))
        .untilAsserted(() -> assertThat(taken()).isEqualTo(2 * 390_000));
    engine.settleAll();
    await().until(() -> taken() == 15 * 390_000L);
  }

  private long taken() {
    return engine.commands(Command.Ingest.class).stream().mapToLong(Command.Ingest::bytes).sum();
  }

  @Test
  void g8OnePartitionStandsStillAtADamagedRecordAndTheOthersGoOn() throws Exception {
    create(2);
    for (int partition = 0; partition < 2; partition++) {
      cluster.produce(topic, partition, 10);
    }
    damage(0, "id-7");
    Ingest ingest = start();

    await().until(() -> engine.offsets(1).size() == 10);
    await().until(() -> engine.offsets(0).size() == 7);
    log.awaitLine(
        Duration.ofSeconds(60), "ERROR Partition " + topic + "-0 stands still at offset 7");
    cluster.produce(topic, 1, 70);
    await().until(() -> engine.offsets(1).size() == 80);
    await().until(() -> cluster.committed(group, topic, 0) == 7);
    long rounds = ingest.done();
    await().until(() -> ingest.done() > rounds);
    assertThat(engine.offsets(0)).isEqualTo(LongStream.range(0, 7).boxed().toList());

    cluster.deleteRecordsBelow(topic, 0, 8);
    await().untilAsserted(() -> assertThat(engine.offsets(0)).contains(8L, 9L));
    await().until(() -> cluster.committed(group, topic, 0) == 10);
    assertThat(engine.offsets(0)).doesNotHaveDuplicates().doesNotContain(7L);
  }

  @Test
  void g9NoProgressIfEveryPartitionIsBlocked() throws Exception {
    create(1);
    cluster.produce(topic, 0, 2);
    damage(0, "id-0");
    Ingest ingest = start();

    log.awaitLine(
        Duration.ofSeconds(60), "ERROR Partition " + topic + "-0 stands still at offset 0");
    long rounds = ingest.done();
    await().during(Duration.ofSeconds(3)).until(() -> ingest.done() <= rounds + 1);
    assertThat(ingest.hasWork()).isTrue();

    damage(0, "id-0"); // a second flip restores it
    await().until(() -> engine.offsets(0).size() == 2);
    log.awaitLine(Duration.ofSeconds(60), "INFO Partition " + topic + "-0 can be read again");
    await().until(() -> ingest.done() > rounds + 1);
  }

  /// Flips a bit of the only copy of a record in Kafka.
  private void damage(int partition, String text) throws IOException {
    Path segment = dir.resolve(topic + "-" + partition).resolve("00000000000000000000.log");
    try (var file = new RandomAccessFile(segment.toFile(), "rw")) {
      byte[] bytes = new byte[(int) file.length()];
      file.readFully(bytes);
      int at = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(text);
      assertThat(at).isPositive();
      file.seek(at + text.length());
      file.write(bytes[at + text.length()] ^ 1);
    }
  }

  private void create(int partitions) {
    kafka.createTopic(large(topic, partitions));
  }

  private static NewTopic large(String name, int partitions) {
    return new NewTopic(name, partitions, (short) 1)
        .configs(Map.of("max.message.bytes", Integer.toString(40 << 20)));
  }

  private void produce(String codec, byte[]... values) throws Exception {
    produce(topic, codec, values);
  }

  /// Produces all values, in one batch if possible.
  private static void produce(String topic, String codec, byte[]... values) throws Exception {
    var settings =
        new HashMap<String, Object>(
            Map.of(
                "bootstrap.servers", kafka.bootstrap(),
                "compression.type", codec,
                "linger.ms", "1000",
                "batch.size", Integer.toString(30 << 20),
                "max.request.size", Integer.toString(40 << 20),
                "buffer.memory", Integer.toString(100 << 20)));
    var sent = new ArrayList<Future<?>>();
    try (var producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (byte[] value : values) {
        sent.add(producer.send(new ProducerRecord<>(topic, 0, null, value)));
      }
      producer.flush();
      for (Future<?> each : sent) {
        each.get(60, TimeUnit.SECONDS);
      }
    }
  }

  private TopicSource source(String name) {
    return new TopicSource(
        name,
        name.equals(topic) ? group : "group-of-" + name,
        Map.of("bootstrap.servers", kafka.bootstrap()),
        Duration.ofSeconds(6),
        Duration.ofMillis(100),
        "earliest");
  }

  private Ingest start() {
    return start(List.of(source(topic)), LIMITS);
  }

  private Ingest start(List<TopicSource> sources, IntakeLimits limits) {
    Map<SourcePartition, Long> startOffsets = Map.of();
    var ingest =
        new Ingest(
            sources,
            PartitionOwnership.sole(List.of(), () -> startOffsets),
            engine,
            new IngestOptions(
                "broker-1", 3600, MAX_MESSAGE, 1000, limits.readAheadBytes(), 100, limits),
            (_, failure) -> failures.add(failure),
            new Metrics());
    engine.attach(ingest);
    started.add(ingest);
    ingest.start();
    return ingest;
  }

  private static ConditionFactory await() {
    return Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20));
  }
}
