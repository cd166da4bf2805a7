package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.LogCapture;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(240)
final class IngestTest {
  private static final String RANGE = "org.apache.kafka.clients.consumer.RangeAssignor";
  private static final String COOPERATIVE =
      "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
  private static final IngestOptions OPTIONS =
      new IngestOptions("broker-1", 3600, 100_000, 1000, 1_000_000, 100);
  private static final Duration SOON = Duration.ofMillis(100);
  private static final Duration NEVER = Duration.ofHours(1);

  @TempDir private static Path dir;
  private static EmbeddedKafka kafka;
  private static Cluster cluster;
  private static final AtomicInteger topics = new AtomicInteger();

  private final String topic = "tasks-" + topics.incrementAndGet();
  private final String group = "group-of-" + topic;
  private final ScriptedEngine engine = new ScriptedEngine();
  private final Metrics metrics = new Metrics();
  private final List<Ingest> started = new ArrayList<>();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final Map<String, String> properties = new HashMap<>();
  @RegisterExtension private final LogCapture log = LogCapture.of("io.taskbroker.ingest");
  private final AtomicReference<Map<SourcePartition, Long>> startOffsets =
      new AtomicReference<>(Map.of());
  private Duration commitInterval = SOON;
  private Duration sessionTimeout = Duration.ofSeconds(6);
  private String reset = "earliest";
  private IngestOptions options = OPTIONS;

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

  @BeforeEach
  void reachKafka() {
    properties.put("bootstrap.servers", kafka.bootstrap());
  }

  @AfterEach
  void stop() {
    started.parallelStream().forEach(Ingest::stop);
    if (failures.isEmpty()) {
      return;
    }
    assertThat(failures)
        .allSatisfy(each -> assertThat(each).hasMessageContaining("Another broker"));
  }

  @Test
  void handsOverRecordsInOrderAndCommitsThem() throws Exception {
    kafka.createTopic(topic, 2);
    Ingest ingest = start(engine);
    cluster.produce(topic, 0, 3);
    cluster.produceMany(topic, 1, 250);

    await().untilAsserted(() -> assertThat(engine.offsets(0)).containsExactly(0L, 1L, 2L));
    await().untilAsserted(() -> assertThat(engine.offsets(1)).isEqualTo(from(0, 250)));
    await().until(() -> cluster.committed(group, topic, 0) == 3);
    await().until(() -> cluster.committed(group, topic, 1) == 250);
    await().until(() -> engine.committed(1) == 250);
    assertThat(engine.commands().getFirst()).isInstanceOf(Command.PartitionAssigned.class);
    assertThat(engine.partition(1)).isEqualTo(cluster.partition(group, topic, 1));
    assertThat(ingest.hasWork()).isTrue();
    long rounds = ingest.done();
    await().until(() -> ingest.done() > rounds);
  }

  @Test
  void theMetadataOfACommittedOffsetIsUpdated() throws Exception {
    kafka.createTopic(topic, 1);
    var _ = start(engine);
    cluster.produce(topic, 0, 3);
    await().until(() -> engine.committed(0) == 3);
    assertThat(cluster.metadata(group, topic, 0)).endsWith(" 0");
    int commands = engine.commands().size();

    startOffsets.set(Map.of(engine.partition(0), 2L));
    await().until(() -> cluster.metadata(group, topic, 0).endsWith(" 2"));
    startOffsets.set(Map.of(engine.partition(0), 3L));
    await().until(() -> cluster.metadata(group, topic, 0).endsWith(" 3"));
    assertThat(cluster.committed(group, topic, 0)).isEqualTo(3);
    assertThat(engine.commands()).hasSize(commands);
  }

  /// The lag counts records that arrive while reading is paused, when no fetch would report them.
  @Test
  void lagIsWhatIsNotDurable() throws Exception {
    options = new IngestOptions("broker-1", 3600, 100_000, 2, 1_000_000, 2);
    engine.holding();
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 3);
    var _ = start(engine);
    await().untilAsserted(() -> assertThat(lag()).isEqualTo(3));
    staysAt(2);
    cluster.produce(topic, 0, 4);
    await().untilAsserted(() -> assertThat(lag()).isEqualTo(7));
    while (lag() > 0) {
      engine.settleAll();
    }
    assertThat(engine.offsets(0)).isEqualTo(from(0, 7));
  }

  /// Only committed records are read: what waits behind an open transaction is not read, and seen.
  @Test
  void lagIncludesWhatWaitsForAnOpenTransaction() throws Exception {
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 2);
    var _ = start(engine);
    await().until(() -> engine.offsets(0).size() == 2);
    try (var open = cluster.openTransaction(topic, 3)) {
      cluster.produce(topic, 0, 4);
      await().untilAsserted(() -> assertThat(lag()).isEqualTo(7));
      open.abortTransaction();
    }
    await().untilAsserted(() -> assertThat(engine.offsets(0)).hasSize(6).last().isEqualTo(8L));
    await().untilAsserted(() -> assertThat(lag()).isZero());
  }

  private double lag() {
    return metrics.lag.of(topic, "0").get();
  }

  @Test
  void stopReleasesThePartitionsAndLeavesTheGroup() throws Exception {
    commitInterval = NEVER;
    kafka.createTopic(topic, 1);
    Ingest ingest = start(engine);
    cluster.produce(topic, 0, 5);
    await().until(() -> engine.offsets(0).size() == 5);
    assertThat(cluster.committed(group, topic, 0)).isZero();

    ingest.stop();

    SourcePartition partition = engine.partition(0);
    assertThat(engine.commands())
        .endsWith(
            new Command.PartitionRevoked(partition, false),
            new Command.OffsetCommitted(partition, 5));
    assertThat(cluster.committed(group, topic, 0)).isEqualTo(5);
    assertThat(cluster.members(group)).isEmpty();
    assertThat(ingest.hasWork()).isFalse();
    ingest.stop();
  }

  @Test
  void stopHasATimeoutForTheEngine() throws Exception {
    engine.holding().neverDraining();
    kafka.createTopic(topic, 1);
    Ingest ingest = start(engine);
    cluster.produce(topic, 0, 5);
    await().until(() -> engine.offsets(0).size() == 5);

    long begin = System.nanoTime();
    ingest.stop();

    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isBetween(Duration.ofSeconds(3), Duration.ofSeconds(30));
    assertThat(cluster.committed(group, topic, 0)).isZero();
    assertThat(cluster.members(group)).isEmpty();
  }

  @Test
  void h01AWatermarkAheadOfTheCommitIsNotReadAgain() throws Exception {
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 10);
    cluster.resetOffset(group, topic, 0, 4);
    SourcePartition partition = cluster.partition(group, topic, 0);

    start(engine, new Watermark(partition, 10, 4));
    await().until(() -> engine.isAssigned(0));
    cluster.produce(topic, 0, 1);

    await().untilAsserted(() -> assertThat(engine.offsets(0)).containsExactly(10L));
    assertThat(engine.commands().getFirst()).isEqualTo(assigned(partition, 4, 10));
    await().until(() -> cluster.committed(group, topic, 0) == 11);
  }

  @Test
  void h01TheWatermarkIsCommittedWithoutARecord() throws Exception {
    commitInterval = NEVER;
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 10);
    cluster.resetOffset(group, topic, 0, 4);
    SourcePartition partition = cluster.partition(group, topic, 0);

    start(engine, new Watermark(partition, 10, 4));

    await().until(() -> engine.committed(0) == 10);
    assertThat(cluster.committed(group, topic, 0)).isEqualTo(10);
  }

  @Test
  void h01AnOperatorsResetIsObeyed() throws Exception {
    engine.holding();
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 10);
    cluster.resetOffset(group, topic, 0, 2);
    SourcePartition partition = cluster.partition(group, topic, 0);

    start(engine, new Watermark(partition, 10, 8));

    await().untilAsserted(() -> assertThat(engine.offsets(0)).isEqualTo(from(2, 10)));
    assertThat(engine.commands())
        .startsWith(
            assigned(partition, 2, 10),
            new Command.Ingest(partition, List.of(), 2, 0),
            new Command.OffsetCommitted(partition, 2));
  }

  @Test
  void h01AWatermarkOfAnotherTopicOfThatNameIsVoid() throws Exception {
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 10);
    SourcePartition partition = cluster.partition(group, topic, 0);
    var before =
        new SourcePartition(partition.cluster(), group, "AAAAAAAAAAAAAAAAAAAAAQ", topic, 0);

    start(engine, new Watermark(before, 10, 10));

    await().untilAsserted(() -> assertThat(engine.offsets(0)).isEqualTo(from(0, 10)));
  }

  /// Kafka may keep the offset of the deleted topic.
  @Test
  void h05AnOffsetOfAnotherTopicOfThatNameIsVoid() throws Exception {
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 10);
    var metadata = new OffsetMetadata("store", "AAAAAAAAAAAAAAAAAAAAAQ", 0);
    cluster.resetOffset(group, topic, 0, new OffsetAndMetadata(10, metadata.text()));

    start(engine);

    await().untilAsserted(() -> assertThat(engine.offsets(0)).isEqualTo(from(0, 10)));
  }

  @Test
  void h01WhatWasDurableWhenAPartitionWasLostIsNotReadAgain() throws Exception {
    engine.holding();
    commitInterval = NEVER;
    options = batches(3);
    kafka.createTopic(topic, 1);
    cluster.produceMany(topic, 0, 9);
    start(engine);
    await().until(() -> engine.offsets(0).size() == 9);
    SourcePartition partition = engine.partition(0);
    engine.settle(partition, 2);
    engine.forgetCommands();

    cluster.removeMember(group, "broker-1-" + topic);

    await().untilAsserted(() -> assertThat(engine.offsets(0)).isEqualTo(from(6, 9)));
    assertThat(engine.commands())
        .startsWith(
            new Command.PartitionRevoked(partition, true),
            new Command.PartitionAssigned(partition, 0));
  }

  @Test
  void h05LatestIsResolvedOnceAndCommitted() throws Exception {
    reset = "latest";
    kafka.createTopic(topic, 2);
    cluster.produce(topic, 0, 3);
    Ingest first = start(engine);
    await().until(() -> engine.committed(0) == 3 && engine.committed(1) == 0);
    assertThat(cluster.committed(group, topic, 0)).isEqualTo(3);
    assertThat(cluster.committed(group, topic, 1)).isZero();
    assertThat(engine.commands(Command.PartitionAssigned.class))
        .contains(assigned(engine.partition(0), 3, 3));
    first.stop();
    assertThat(engine.offsets(0)).isEmpty();

    cluster.produce(topic, 0, 2);
    cluster.produce(topic, 1, 1);
    var next = new ScriptedEngine();
    start(next);

    await().untilAsserted(() -> assertThat(next.offsets(0)).containsExactly(3L, 4L));
    await().untilAsserted(() -> assertThat(next.offsets(1)).containsExactly(0L));
  }

  @Test
  void h05PartitionsThatAreAddedStartAtTheEarliest() throws Exception {
    reset = "latest";
    properties.put("metadata.max.age.ms", "500");
    kafka.createTopic(topic, 1);
    start(engine);
    await().until(() -> engine.isAssigned(0));

    cluster.addPartitions(topic, 2);
    cluster.produce(topic, 1, 2);

    await().untilAsserted(() -> assertThat(engine.offsets(1)).containsExactly(0L, 1L));
  }

  @Test
  void addedPartitionsAreReadWithinSecondsWithoutARestart() throws Exception {
    kafka.createTopic(topic, 1);
    start(engine);
    await().until(() -> engine.isAssigned(0));

    cluster.addPartitions(topic, 2);
    cluster.produce(topic, 1, 1);

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(engine.offsets(1)).containsExactly(0L));
  }

  @Test
  void h05ALostOffsetIsCountedAndReadingStartsAtTheEarliest() throws Exception {
    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 10);
    cluster.resetOffset(group, topic, 0, 3);
    cluster.deleteRecordsBelow(topic, 0, 6);

    Ingest ingest = start(engine);

    await().untilAsserted(() -> assertThat(engine.offsets(0)).isEqualTo(from(6, 10)));
    assertThat(ingest.offsetsOutOfRange()).isEqualTo(1);
  }

  @Test
  void h05AnOffsetLostWhileReadingIsPausedIsCounted() throws Exception {
    engine.holding();
    options = new IngestOptions("broker-1", 3600, 100_000, 2, 2000, 2);
    kafka.createTopic(topic, 1);
    for (int i = 0; i < 20; i++) {
      cluster.produce(topic, 0, new byte[1000]);
    }
    Ingest ingest = start(engine);
    await().until(() -> engine.outstanding() >= 2);

    cluster.deleteRecordsBelow(topic, 0, 15);
    engine.settleAll();

    await().until(() -> engine.offsets(0).containsAll(from(15, 20)));
    assertThat(engine.offsets(0)).doesNotHaveDuplicates().doesNotContain(14L);
    assertThat(ingest.offsetsOutOfRange()).isEqualTo(1);
    await().until(() -> cluster.committed(group, topic, 0) == 20);
  }

  @Test
  void g7ReadsAheadToTheBoundAndGoesOnBelowHalfOfIt() throws Exception {
    engine.holding();
    options = new IngestOptions("broker-1", 3600, 100_000, 50, 1_000_000, 10);
    kafka.createTopic(topic, 1);
    cluster.produceMany(topic, 0, 500);
    start(engine);

    await().until(() -> engine.outstanding() == 50);
    staysAt(50);
    engine.settle(engine.partition(0), 2);
    staysAt(30);
    engine.settle(engine.partition(0), 1);
    await().until(() -> engine.outstanding() >= 50);
    engine.settleAll();

    await().untilAsserted(() -> assertThat(engine.offsets(0)).isEqualTo(from(0, 500)));
    assertThat(engine.mostOutstanding()).isLessThanOrEqualTo(60);
    await().until(() -> cluster.committed(group, topic, 0) == 500);
  }

  @Test
  void g7ReadsAheadToTheBoundOfBytes() throws Exception {
    engine.holding();
    options = new IngestOptions("broker-1", 3600, 100_000, 1_000_000, 5_000, 2);
    kafka.createTopic(topic, 1);
    for (int i = 0; i < 20; i++) {
      cluster.produce(topic, 0, new byte[1000]);
    }
    start(engine);

    await().until(() -> engine.outstanding() >= 5);
    engine.settleAll();

    await().untilAsserted(() -> assertThat(engine.offsets(0)).isEqualTo(from(0, 20)));
    assertThat(engine.mostOutstanding()).isLessThanOrEqualTo(6);
  }

  @Test
  void g1CommitsOnlyWhatIsDurable() throws Exception {
    engine.holding();
    options = batches(4);
    kafka.createTopic(topic, 1);
    cluster.produceMany(topic, 0, 12);
    Ingest ingest = start(engine);
    await().until(() -> engine.offsets(0).size() == 12);

    engine.settle(engine.partition(0), 1);
    await().until(() -> engine.committed(0) == 4);
    engine.settle(engine.partition(0), 1);
    await().until(() -> engine.committed(0) == 8);
    ingest.stop();

    assertThat(cluster.committed(group, topic, 0)).isEqualTo(8);
  }

  @Test
  void gapsOfAbortedTransactionsAreConsumed() throws Exception {
    kafka.createTopic(topic, 1);
    start(engine);
    cluster.produceInTransaction(topic, 3, false);
    // Three records and the control record of their transaction.
    await().until(() -> cluster.committed(group, topic, 0) == 4);
    assertThat(engine.offsets(0)).isEmpty();

    cluster.produceInTransaction(topic, 2, true);
    await().until(() -> cluster.committed(group, topic, 0) == 7);
    assertThat(engine.offsets(0)).containsExactly(4L, 5L);
    assertThat(engine.commands(Command.Ingest.class).getLast().nextOffset()).isEqualTo(7);
  }

  @Test
  void w08w29WhatIsUndecodableNeverStopsAPartition() throws Exception {
    kafka.createTopic(topic, 1);
    start(engine);
    cluster.produce(topic, 0, (byte[]) null);
    cluster.produce(topic, 0, new byte[0]);
    for (int i = 0; i < 50; i++) {
      cluster.produce(topic, 0, ("\n\u00ff garbage " + i).getBytes(UTF_8));
    }
    cluster.produce(topic, 0, Cluster.activation("good"));

    await().until(() -> engine.arrivals(0).size() == 53);
    List<Command.IngestedRecord> arrivals = engine.arrivals(0);
    assertThat(arrivals.subList(0, 52)).allMatch(each -> each.undecodable() != null);
    Activation good = arrivals.getLast().activation();
    assertThat(good.id()).isEqualTo("good");
    assertThat(good.payload()).isEqualTo(Cluster.activation("good"));
    assertThat(arrivals.getFirst().activation().id()).startsWith("undecodable:" + topic + ":0:0:");
    await().until(() -> cluster.committed(group, topic, 0) == 53);
  }

  @Test
  void h02AnUrgentCommitIsAcknowledgedAtOnce() throws Exception {
    commitInterval = NEVER;
    kafka.createTopic(topic, 1);
    start(engine);
    cluster.produce(topic, 0, 1);
    await().until(() -> engine.offsets(0).size() == 1);
    await()
        .during(Duration.ofMillis(200))
        .untilAsserted(() -> assertThat(cluster.committed(group, topic, 0)).isZero());

    engine.urgent();
    var times = new long[20];
    for (int i = 0; i < times.length; i++) {
      long offset = i + 2L;
      engine.holding();
      cluster.produce(topic, 0, 1);
      await().pollInterval(Duration.ofMillis(2)).until(() -> engine.outstanding() == 1);
      long begin = System.nanoTime();
      engine.settle(engine.partition(0), 1);
      await().pollInterval(Duration.ofMillis(1)).until(() -> engine.committed(0) == offset);
      times[i] = (System.nanoTime() - begin) / 1_000_000;
    }

    Arrays.sort(times);
    assertThat(times[times.length / 2]).as("of %s ms", Arrays.toString(times)).isLessThan(700);
    assertThat(cluster.committed(group, topic, 0)).isEqualTo(21);
  }

  @ParameterizedTest
  @ValueSource(strings = {RANGE, COOPERATIVE})
  void h17w16ARebalanceCommitsWhatIsDurableAndNothingElse(String assignor) throws Exception {
    properties.put("partition.assignment.strategy", assignor);
    commitInterval = NEVER;
    options = batches(4);
    engine.holding().settlingOneBatchOnRevoke();
    kafka.createTopic(topic, 2);
    cluster.produceMany(topic, 0, 12);
    cluster.produceMany(topic, 1, 12);
    start(engine);
    await().until(() -> engine.offsets(0).size() == 12 && engine.offsets(1).size() == 12);

    var other = new ScriptedEngine().holding();
    options = new IngestOptions("broker-2", 3600, 100_000, 1000, 1_000_000, 4);
    start(other);

    await().until(() -> other.isAssigned(0) || other.isAssigned(1));
    int moved = other.isAssigned(0) ? 0 : 1;
    await().untilAsserted(() -> assertThat(other.offsets(moved)).isEqualTo(from(4, 12)));
    assertThat(cluster.committed(group, topic, moved)).isEqualTo(4);
    SourcePartition partition = other.partition(moved);
    assertThat(other.commands(Command.PartitionAssigned.class))
        .containsExactly(assigned(partition, 4, 12));
    assertThat(engine.commands())
        .containsSubsequence(
            new Command.PartitionRevoked(partition, false),
            new Command.OffsetCommitted(partition, 4));
    int revoked = assignor.equals(COOPERATIVE) ? 1 : 2;
    assertThat(engine.commands(Command.PartitionRevoked.class)).hasSize(revoked);
    if (assignor.equals(RANGE)) {
      await()
          .untilAsserted(() ->
              assertThat(engine.offsets(1 - moved))
                  .startsWith(from(0, 12).toArray(Long[]::new))
                  .hasSize(20)
                  .endsWith(from(4, 12).toArray(Long[]::new)));
    }
  }

  @Test
  void anotherBrokerUnderTheSameNameEndsTheFirst() throws Exception {
    sessionTimeout = Duration.ofSeconds(50);
    kafka.createTopic(topic, 1);
    start(engine);
    await().until(() -> engine.isAssigned(0));

    var other = new ScriptedEngine();
    long begin = System.nanoTime();
    start(other);

    await().until(() -> other.isAssigned(0));
    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .as("a static member gets its partitions back before the session ends")
        .isLessThan(sessionTimeout.minusSeconds(10));
    await().until(() -> !failures.isEmpty());
    assertThat(failures.getFirst())
        .hasMessageContaining("Another broker runs as broker-1-" + topic + " in group " + group);
    await()
        .untilAsserted(() ->
            assertThat(engine.commands())
                .endsWith(new Command.PartitionRevoked(engine.partition(0), true)));
    cluster.produce(topic, 0, 1);
    await().until(() -> other.offsets(0).size() == 1);
  }

  /// A position may be looked up while a commit of the same consumer is in flight: if the look-up
  /// did not see it, the next commit could undo it.
  @Test
  void aLookUpOfOffsetsSeesTheCommitInFlight() {
    kafka.createTopic(topic, 1);
    var partition = new TopicPartition(topic, 0);
    Map<String, Object> settings =
        Map.of("bootstrap.servers", kafka.bootstrap(), "group.id", group);
    var bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
      consumer.assign(List.of(partition));
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(0)));
      for (int i = 1; i <= 100; i++) {
        var offset = new OffsetAndMetadata(i);
        consumer.commitAsync(Map.of(partition, offset), (_, _) -> {});
        assertThat(consumer.committed(Set.of(partition)))
            .containsExactly(Map.entry(partition, offset));
      }
    }
  }

  @Test
  void aMissingTopicIsReadOnceItExists() throws Exception {
    Ingest ingest = start(engine);
    long rounds = ingest.done();
    await().until(() -> ingest.done() > rounds + 1);

    kafka.createTopic(topic, 1);
    cluster.produce(topic, 0, 1);

    await().atMost(Duration.ofSeconds(60)).until(() -> engine.offsets(0).size() == 1);
  }

  @Test
  void aTopicIsAcceptedOnce() {
    var source = source();
    assertThatThrownBy(() ->
            new Ingest(
                List.of(source, source),
                PartitionOwnership.sole(List.of(), Map::of),
                engine,
                OPTIONS,
                (_, _) -> {},
                new Metrics()))
        .hasMessageContaining(topic);
  }

  @Test
  void secretsAreNotPrinted() {
    properties.put("sasl.jaas.config", "password=secret");
    assertThat(source().toString()).doesNotContain("secret").contains(topic, kafka.bootstrap());
  }

  @Test
  void memberNamesAreValidInKafka() {
    assertThat(ClientSettings.memberName("pod-1", "tasks")).isEqualTo("pod-1-tasks");
    assertThat(ClientSettings.memberName("pod:1", "tasks")).matches("[0-9a-f-]{36}");
    assertThat(ClientSettings.memberName("p".repeat(250), "tasks"))
        .matches("[0-9a-f-]{36}")
        .isEqualTo(ClientSettings.memberName("p".repeat(250), "tasks"))
        .isNotEqualTo(ClientSettings.memberName("p".repeat(250), "other"));
  }

  /// The first assignment of a partition whose log ends there.
  private static Command.PartitionAssigned assigned(
      SourcePartition partition, long committed, long end) {
    return new Command.PartitionAssigned(partition, committed, committed, end);
  }

  private static ConditionFactory await() {
    return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(20));
  }

  private void staysAt(long outstanding) {
    await()
        .during(Duration.ofMillis(300))
        .untilAsserted(() -> assertThat(engine.outstanding()).isEqualTo(outstanding));
  }

  private static IngestOptions batches(int records) {
    return new IngestOptions("broker-1", 3600, 100_000, 1000, 1_000_000, records);
  }

  private static List<Long> from(long first, long end) {
    return LongStream.range(first, end).boxed().toList();
  }

  private TopicSource source() {
    return new TopicSource(topic, group, properties, sessionTimeout, commitInterval, reset);
  }

  private Ingest start(ScriptedEngine engine, Watermark... stored) {
    var ingest =
        new Ingest(
            List.of(source()),
            PartitionOwnership.sole(List.of(stored), startOffsets::get),
            engine,
            options,
            (_, failure) -> failures.add(failure),
            metrics);
    engine.attach(ingest);
    started.add(ingest);
    ingest.start();
    return ingest;
  }
}
