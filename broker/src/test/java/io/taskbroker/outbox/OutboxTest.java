package io.taskbroker.outbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import io.taskbroker.LogCapture;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.SecuredListener;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
final class OutboxTest {
  private static final int MAX_MESSAGE_SIZE = 500_000;
  private static final Duration LONG = Duration.ofMinutes(1);

  @TempDir private static Path dir;
  private static EmbeddedKafka kafka;

  private final Recorder engine = new Recorder();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final List<Outbox> outboxes = new ArrayList<>();

  @RegisterExtension private final LogCapture log = LogCapture.of(Outbox.class);

  @BeforeAll
  static void startKafka() {
    kafka = EmbeddedKafka.start(dir.resolve("shared"));
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  @AfterEach
  void stopOutboxes() {
    outboxes.forEach(Outbox::stop);
    assertThat(failures).isEmpty();
  }

  @Test
  void g4AProducedRecordIsInKafka() {
    kafka.createTopic("acknowledged", 3);
    Outbox outbox = started(_ -> client(kafka));

    List<OutboxRecord> records =
        IntStream.range(0, 2_000).mapToObj(i -> outboxRecord("acknowledged", "id-" + i)).toList();
    records.forEach(outbox::produce);

    await().atMost(LONG).until(() -> !engine.produced().isEmpty());
    List<String> acknowledged =
        engine.produced().stream().map(d -> new String(d.payload(), UTF_8)).toList();
    assertThat(values(kafka, "acknowledged")).containsAll(acknowledged);
    engine.awaitProduced(2_000);
    assertThat(engine.produced()).containsExactlyInAnyOrderElementsOf(records);
    assertThat(values(kafka, "acknowledged"))
        .containsExactlyInAnyOrderElementsOf(
            records.stream().map(d -> new String(d.payload(), UTF_8)).toList());
    assertThat(engine.refused).isEmpty();
    await().until(() -> !outbox.hasWork());
    assertThat(outbox.done()).isGreaterThanOrEqualTo(2_000);
  }

  @Test
  void keyIsNullAndHeadersAreThoseOfTheDestination() {
    kafka.createTopic("headers", 1);
    Outbox outbox = started(_ -> client(kafka));

    outbox.produce(outboxRecord("headers", "plain"));
    outbox.produce(
        new OutboxRecord(
            "b",
            "b",
            new byte[0],
            new Destination("headers", Map.of("reason", "kein g\u00fcltiges Format", "e", "")),
            this));
    engine.awaitProduced(2);

    List<ConsumerRecord<byte[], byte[]>> records = records(kafka, "headers");
    assertThat(records).hasSize(2).allMatch(message -> message.key() == null);
    assertThat(records)
        .anySatisfy(message -> {
          assertThat(message.value()).asString(UTF_8).isEqualTo("payload of plain");
          assertThat(message.headers()).isEmpty();
        })
        .anySatisfy(message -> {
          var headers = new HashMap<String, String>();
          message.headers().forEach(h -> headers.put(h.key(), new String(h.value(), UTF_8)));
          assertThat(message.value()).isEmpty();
          assertThat(headers)
              .isEqualTo(
                  Map.of(
                      "reason",
                      "kein g\u00fcltiges Format",
                      "e",
                      "",
                      "taskbroker-broker-version",
                      BuildInfo.current().version()));
        });
  }

  @Test
  void g4ACompactedTopicGetsTheIdAsKey() {
    kafka.createTopic(
        new NewTopic("compacted", 3, (short) 1).configs(Map.of("cleanup.policy", "compact")));
    Outbox outbox = started(_ -> client(kafka));
    for (int i = 0; i < 20; i++) {
      outbox.produce(outboxRecord("compacted", "id-" + i));
    }
    engine.awaitProduced(20);
    outbox.produce(outboxRecord("compacted", "later"));
    engine.awaitProduced(21);

    assertThat(records(kafka, "compacted"))
        .hasSize(21)
        .allSatisfy(message ->
            assertThat("payload of " + new String(message.key(), UTF_8))
                .isEqualTo(new String(message.value(), UTF_8)));
    assertThat(engine.refused).isEmpty();
  }

  @Test
  void g4ATopicThatTakesNothingIsTriedAMessageAtATimeUntilItIsMended() throws Exception {
    var limit = Map.of("message.timestamp.after.max.ms", "1");
    kafka.createTopic(new NewTopic("mended", 1, (short) 1).configs(limit));
    var takers = new ConcurrentLinkedQueue<CountingProducer>();
    var outbox =
        new Outbox(
            new OutboxOptions(_ -> client(kafka), MAX_MESSAGE_SIZE),
            engine,
            (_, cause) -> failures.add(cause),
            SystemContext.system(),
            settings -> {
              var counting = new CountingProducer(settings);
              takers.add(counting);
              return counting;
            });
    outboxes.add(outbox);
    outbox.start();
    for (int i = 0; i < 500; i++) {
      outbox.produce(outboxRecord("mended", "id-" + i));
    }
    await().atMost(LONG).until(() -> !log.events().isEmpty());
    assertThat(log.events().getFirst().getFormattedMessage()).contains("InvalidTimestampException");
    assertThat(engine.refused).isEmpty();
    long sent = takers.stream().mapToLong(CountingProducer::sent).sum();
    assertThat(sent).as("500 messages, again with a key, then one by one").isLessThan(1_100);

    try (var admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrap()))) {
      var topic = new ConfigResource(ConfigResource.Type.TOPIC, "mended");
      var mend =
          new AlterConfigOp(
              new ConfigEntry("message.timestamp.after.max.ms", ""), AlterConfigOp.OpType.DELETE);
      admin.incrementalAlterConfigs(Map.of(topic, List.of(mend))).all().get();
    }
    engine.awaitProduced(500);
  }

  /// Kafka's producer, which counts its messages and sends them with timestamps in the future.
  private static final class CountingProducer extends KafkaProducer<byte[], byte[]> {
    private final AtomicLong sent = new AtomicLong();

    CountingProducer(Map<String, Object> settings) {
      super(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    long sent() {
      return sent.get();
    }

    @Override
    public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
      sent.incrementAndGet();
      long future = System.currentTimeMillis() + Duration.ofHours(1).toMillis();
      return super.send(
          new ProducerRecord<>(
              record.topic(),
              record.partition(),
              future,
              record.key(),
              record.value(),
              record.headers()),
          callback);
    }
  }

  @Test
  void h08CopiesGoToTheSamePartition() {
    kafka.createTopic("copies", 7);

    for (int copy = 0; copy < 2; copy++) {
      Outbox outbox = started(_ -> client(kafka));
      for (int i = 0; i < 50; i++) {
        outbox.produce(outboxRecord("copies", "id-" + i));
      }
      engine.awaitProduced(50 * (copy + 1));
      outbox.stop();
    }

    var partitions = new HashMap<String, Integer>();
    for (ConsumerRecord<byte[], byte[]> message : records(kafka, "copies")) {
      Integer before = partitions.put(new String(message.value(), UTF_8), message.partition());
      assertThat(before == null || before == message.partition()).isTrue();
    }
    assertThat(partitions).hasSize(50);
    assertThat(partitions.values()).contains(0, 1, 2, 3, 4, 5, 6);
  }

  @Test
  void h08ThePartitionOfAKeyNeverChangesBetweenVersions() {
    // The hashes that Kafka's own tests expect, made positive, modulo 1,000.
    assertThat(PendingRecord.partition("21", 1_000)).isEqualTo(340);
    assertThat(PendingRecord.partition("foobar", 1_000)).isEqualTo(166);
    assertThat(PendingRecord.partition("abc", 1_000)).isEqualTo(107);
  }

  @Test
  void h19AnOversizedRecordIsRefusedAndOthersGoOn() {
    kafka.createTopic("large", 1);
    Outbox outbox = started(_ -> client(kafka));

    OutboxRecord large =
        new OutboxRecord(
            "large", "large", new byte[MAX_MESSAGE_SIZE + 100_000], Destination.of("large"), this);
    OutboxRecord largest =
        new OutboxRecord("fits", "fits", new byte[MAX_MESSAGE_SIZE], Destination.of("large"), this);
    outbox.produce(outboxRecord("large", "before"));
    outbox.produce(large);
    outbox.produce(largest);
    outbox.produce(outboxRecord("large", "after"));
    engine.awaitProduced(3);

    await().until(() -> engine.refused.size() == 1);
    Command.ProduceRefused refused = engine.refused.element();
    assertThat(refused.record()).isSameAs(large);
    assertThat(refused.why())
        .startsWith("Kafka refuses it for large: RecordTooLargeException: ")
        .doesNotContain("\n");
    assertThat(engine.produced()).contains(largest);
  }

  /// Headers never prevent the delivery of a dead letter.
  @Test
  void h19WhatFitsWithoutHeadersOnlyGoesWithoutThem() {
    kafka.createTopic(
        new NewTopic("tight", 1, (short) 1).configs(Map.of("max.message.bytes", "10000")));
    Outbox outbox = started(_ -> client(kafka));
    var circumstances = new Destination("tight", Map.of("why", "w".repeat(800)));

    outbox.produce(new OutboxRecord("a", "a", new byte[9_700], circumstances, this));
    outbox.produce(new OutboxRecord("b", "b", new byte[9_000], circumstances, this));
    outbox.produce(new OutboxRecord("c", "c", new byte[10_000], circumstances, this));

    engine.awaitProduced(2);
    await().until(() -> engine.refused.size() == 1);
    assertThat(engine.refused.element().record().id()).isEqualTo("c");
    assertThat(records(kafka, "tight"))
        .hasSize(2)
        .allSatisfy(record ->
            assertThat(record.headers().toArray()).hasSize(record.value().length == 9_700 ? 0 : 2));
  }

  @Test
  void h19ARecordTooLargeForTheServerIsRefused() {
    kafka.createTopic("server-limit", 1);
    var options = new OutboxOptions(_ -> client(kafka), 3_000_000);
    Outbox outbox = started(options);

    outbox.produce(
        new OutboxRecord("x", "x", new byte[2_000_000], Destination.of("server-limit"), this));
    outbox.produce(outboxRecord("server-limit", "small"));

    engine.awaitProduced(1);
    await().atMost(LONG).until(() -> engine.refused.size() == 1);
    assertThat(engine.refused.element().record().id()).isEqualTo("x");
  }

  @Test
  void h19AnImpossibleTopicIsRefused() {
    Outbox outbox =
        started(to -> {
          if (to.topic().equals("nowhere")) {
            throw new IllegalArgumentException("Topic nowhere is not declared");
          }
          return to.topic().equals("unknown") ? null : client(kafka);
        });

    outbox.produce(outboxRecord("no such/topic", "a"));
    outbox.produce(outboxRecord("nowhere", "b"));
    outbox.produce(outboxRecord("unknown", "c"));

    await().atMost(LONG).untilAsserted(() -> assertThat(engine.refused).hasSize(3));
    assertThat(engine.refused)
        .extracting(Command.ProduceRefused::why)
        .anyMatch(why -> why.contains("InvalidTopicException"))
        .anyMatch(why -> why.contains("Topic nowhere is not declared"))
        .anyMatch(why -> why.startsWith("Topic unknown is not in kafka_topics"));
  }

  @Test
  void w41TheSameTopicOnTwoClustersHasOneProducerForEach() {
    try (EmbeddedKafka far = EmbeddedKafka.start(dir.resolve("far"))) {
      kafka.createTopic("long", 1);
      far.createTopic("long", 1);
      Outbox outbox = started(to -> to.cluster().isEmpty() ? client(kafka) : client(to.cluster()));
      for (int i = 0; i < 10; i++) {
        outbox.produce(outboxRecord("long", "near-" + i));
        outbox.produce(outboxRecord("long", "far-" + i, far.bootstrap()));
        engine.awaitProduced(2 * i + 2);
        assertThat(producers()).isEqualTo(2);
      }
      assertThat(values(kafka, "long")).hasSize(10).allMatch(value -> value.contains("near"));
      assertThat(values(far, "long")).hasSize(10).allMatch(value -> value.contains("far"));
      outbox.stop();
    }
  }

  private static long producers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().contains("producer-network"))
        .filter(thread -> thread.getName().contains("taskbroker-outbox"))
        .count();
  }

  @Test
  void aMissingTopicDelaysNoOther() {
    kafka.createTopic("there", 1);
    Outbox outbox = started(_ -> client(kafka));

    outbox.produce(outboxRecord("later", "early"));
    for (int i = 0; i < 100; i++) {
      outbox.produce(outboxRecord("there", "id-" + i));
    }

    engine.awaitProduced(100);
    assertThat(engine.produced()).noneMatch(d -> d.id().equals("early"));
    kafka.createTopic("later", 2);
    engine.awaitProduced(101);
    assertThat(values(kafka, "later")).containsExactly("payload of early");
  }

  @Test
  void g4EachTopicIsReachedOnItsOwnClusterWithItsOwnCredentials() {
    var door = SecuredListener.sasl(Map.of("outbox", "secret"));
    try (var far = EmbeddedKafka.start(dir.resolve("far"), door)) {
      kafka.createTopic("near", 1);
      far.createTopic("far", 1);
      Map<String, String> login = login(far);
      Outbox outbox = started(to -> to.topic().equals("far") ? login : client(kafka));

      outbox.produce(outboxRecord("near", "a"));
      outbox.produce(outboxRecord("far", "b"));
      engine.awaitProduced(2);

      assertThat(values(kafka, "near")).containsExactly("payload of a");
      assertThat(values(far, "far")).containsExactly("payload of b");
      outbox.stop();
    }
  }

  @Test
  void w06WithoutPermissionItIsTriedAgainUntilItIsGrantedAndNothingIsProducedTwice()
      throws Exception {
    var door = SecuredListener.sasl(Map.of("outbox", "secret")).withPermissions();
    try (var far = EmbeddedKafka.start(dir.resolve("permissions"), door)) {
      far.createTopic("guarded", 1);
      grant(far, AclOperation.DESCRIBE);
      Outbox outbox = started(_ -> login(far));
      List<OutboxRecord> records =
          IntStream.range(0, 5).mapToObj(i -> outboxRecord("guarded", "id-" + i)).toList();
      records.forEach(outbox::produce);
      await()
          .atMost(LONG)
          .until(() -> warnings().stream().anyMatch(line -> line.contains("5 messages wait")));
      await().during(Duration.ofSeconds(3)).untilAsserted(() -> assertThat(warnings()).hasSize(1));

      grant(far, AclOperation.WRITE);

      engine.awaitProduced(5);
      outbox.stop();
      assertThat(engine.produced()).containsExactlyInAnyOrderElementsOf(records);
      assertThat(values(far, "guarded")).hasSize(5).doesNotHaveDuplicates();
      assertThat(engine.refused).isEmpty();
    }
  }

  private List<String> warnings() {
    return log.events().stream()
        .filter(event -> event.getLevel() == Level.WARN)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private static void grant(EmbeddedKafka node, AclOperation operation) throws Exception {
    var resource = new ResourcePattern(ResourceType.TOPIC, "guarded", PatternType.LITERAL);
    var entry = new AccessControlEntry("User:outbox", "*", operation, AclPermissionType.ALLOW);
    try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", node.bootstrap()))) {
      admin.createAcls(List.of(new AclBinding(resource, entry))).all().get();
    }
  }

  private static Map<String, String> login(EmbeddedKafka node) {
    return Map.of(
        "bootstrap.servers",
        node.securedBootstrap(),
        "security.protocol",
        "SASL_PLAINTEXT",
        "sasl.mechanism",
        "PLAIN",
        "sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required"
            + " username=\"outbox\" password=\"secret\";");
  }

  @Test
  void aClusterThatIsDownHoldsUpNobody() throws Exception {
    kafka.createTopic("up", 1);
    try (var silent = new ServerSocket(0)) {
      Map<String, String> hangs = client("127.0.0.1:" + silent.getLocalPort());
      Map<String, String> refuses = client("127.0.0.1:1");
      Map<String, String> unknown = client("no-such-host.invalid:9092");
      Outbox outbox =
          started(to ->
              switch (to.topic()) {
                case "hangs" -> hangs;
                case "refuses" -> refuses;
                case "unknown" -> unknown;
                default -> client(kafka);
              });
      for (String topic : List.of("hangs", "refuses", "unknown")) {
        outbox.produce(outboxRecord(topic, topic));
      }

      for (int i = 0; i < 100; i++) {
        outbox.produce(outboxRecord("up", "id-" + i));
      }

      engine.awaitProduced(100);
      assertThat(engine.refused).isEmpty();
    }
  }

  @Test
  void aRecordWithoutBufferSpaceIsRetried() {
    kafka.createTopic("many", 1);
    Outbox outbox = started(_ -> client(kafka));

    byte[] payload = new byte[MAX_MESSAGE_SIZE];
    for (int i = 0; i < 150; i++) {
      outbox.produce(new OutboxRecord("id", "id", payload, Destination.of("many"), this));
    }

    engine.awaitProduced(150);
  }

  @Test
  void everythingArrivesWhenKafkaReturns() {
    var own = EmbeddedKafka.start(dir.resolve("restarted"));
    try {
      own.createTopic("tasks", 2);
      var client = new HashMap<>(client(own));
      // Shorter than the outage, so that the producer fails records and the outbox retries them.
      client.put("delivery.timeout.ms", "1000");
      client.put("request.timeout.ms", "500");
      Outbox outbox = started(_ -> client);
      outbox.produce(outboxRecord("tasks", "before"));
      engine.awaitProduced(1);
      own.stop();
      for (int i = 0; i < 500; i++) {
        outbox.produce(outboxRecord("tasks", "id-" + i));
      }
      // Long enough for the warning.
      await().atMost(LONG).until(() -> !log.events().isEmpty());
      assertThat(engine.produced()).hasSize(1);

      own = EmbeddedKafka.startOnPort(dir.resolve("restarted"), own.port());

      engine.awaitProduced(501);
      assertThat(values(own, "tasks")).contains("payload of id-0").hasSizeGreaterThanOrEqualTo(501);
      assertThat(log.events().getFirst().getFormattedMessage())
          .startsWith("Cannot produce to topic tasks at " + own.bootstrap() + ": ")
          .endsWith("messages wait in the store and are retried");
      assertThat(log.events()).hasSizeLessThanOrEqualTo(3);
      assertThat(engine.refused).isEmpty();
    } finally {
      own.close();
    }
  }

  /// Seen with Kafka's producer after one failed login: it accepted a record and did nothing.
  @Test
  void g4AProducerThatDeliversNothingIsReplaced() {
    var stuck = producer();
    var next = producer();
    var makers = new ConcurrentLinkedQueue<Producer<byte[], byte[]>>(List.of(stuck, next));
    var outbox =
        new Outbox(
            new OutboxOptions(_ -> client("unused:1"), MAX_MESSAGE_SIZE),
            engine,
            (_, cause) -> failures.add(cause),
            SystemContext.system(),
            _ -> makers.remove());
    outboxes.add(outbox);
    outbox.start();
    outbox.produce(outboxRecord("tasks", "id"));
    await().until(() -> stuck.errorNext(new TimeoutException("30000 ms have passed")));

    await().until(next::completeNext);

    engine.awaitProduced(1);
    assertThat(stuck.closed()).isTrue();
  }

  private static MockProducer<byte[], byte[]> producer() {
    var partition = new PartitionInfo("tasks", 0, Node.noNode(), new Node[0], new Node[0]);
    var cluster = new Cluster("c", List.of(), List.of(partition), Set.of(), Set.of());
    return new MockProducer<>(
        cluster, false, null, new ByteArraySerializer(), new ByteArraySerializer());
  }

  @Test
  void stopWaitsForPendingRecords() {
    kafka.createTopic("stop", 1);
    Outbox outbox = started(_ -> client(kafka));
    for (int i = 0; i < 1_000; i++) {
      outbox.produce(outboxRecord("stop", "id-" + i));
    }

    outbox.stop();

    assertThat(engine.produced()).hasSize(1_000);
    outbox.produce(outboxRecord("stop", "too late"));
    assertThat(outbox.hasWork()).isFalse();
    outbox.stop();
  }

  @Test
  void stopHasATimeout() {
    var options =
        new OutboxOptions(_ -> client("127.0.0.1:1"), MAX_MESSAGE_SIZE, Duration.ofMillis(300));
    Outbox outbox = started(options);
    outbox.produce(outboxRecord("tasks", "id"));

    long before = System.nanoTime();
    outbox.stop();

    assertThat(Duration.ofNanos(System.nanoTime() - before))
        .isBetween(Duration.ofMillis(250), Duration.ofSeconds(20));
    assertThat(engine.produced()).isEmpty();
    assertThat(engine.refused).isEmpty();
  }

  @Test
  void stopWithoutStart() {
    var outbox = new Outbox(new OutboxOptions(_ -> Map.of(), 1), engine, (_, _) -> {});

    outbox.stop();
    outbox.produce(outboxRecord("x", "x"));

    assertThat(outbox.hasWork()).isFalse();
  }

  private Outbox started(Function<Destination, @Nullable Map<String, String>> clusterOf) {
    return started(new OutboxOptions(clusterOf, MAX_MESSAGE_SIZE));
  }

  private Outbox started(OutboxOptions options) {
    var outbox = new Outbox(options, engine, (_, cause) -> failures.add(cause));
    outboxes.add(outbox);
    outbox.start();
    return outbox;
  }

  private OutboxRecord outboxRecord(String topic, String id) {
    return new OutboxRecord(
        id, id, ("payload of " + id).getBytes(UTF_8), Destination.of(topic), this);
  }

  private OutboxRecord outboxRecord(String topic, String id, String cluster) {
    byte[] payload = ("payload of " + id).getBytes(UTF_8);
    return new OutboxRecord(id, id, payload, new Destination(topic, cluster, Map.of()), this);
  }

  private static Map<String, String> client(EmbeddedKafka kafka) {
    return client(kafka.bootstrap());
  }

  private static Map<String, String> client(String bootstrap) {
    return Map.of("bootstrap.servers", bootstrap);
  }

  private static List<String> values(EmbeddedKafka kafka, String topic) {
    return records(kafka, topic).stream().map(r -> new String(r.value(), UTF_8)).toList();
  }

  /// All records in the topic now.
  private static List<ConsumerRecord<byte[], byte[]>> records(EmbeddedKafka kafka, String topic) {
    var records = new ArrayList<ConsumerRecord<byte[], byte[]>>();
    try (var consumer =
        new KafkaConsumer<>(
            Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        consumer.poll(Duration.ofMillis(500)).forEach(records::add);
      }
    }
    return records;
  }

  /// Engine stub that records its commands.
  private static final class Recorder implements CommandSink {
    private final Queue<OutboxRecord> produced = new ConcurrentLinkedQueue<>();
    private final Queue<Command.ProduceRefused> refused = new ConcurrentLinkedQueue<>();

    @Override
    public void request(Command.Request request) {
      throw new IllegalStateException("The outbox sends no requests");
    }

    @Override
    public void submit(Command command) {
      switch (command) {
        case Command.Produced(var outboxRecord) -> produced.add(outboxRecord);
        case Command.ProduceRefused refusal -> refused.add(refusal);
        default -> throw new IllegalStateException("Unexpected: " + command);
      }
    }

    List<OutboxRecord> produced() {
      return List.copyOf(produced);
    }

    void awaitProduced(int count) {
      await().atMost(LONG).until(() -> produced.size() >= count);
      assertThat(produced).hasSize(count);
    }
  }
}
