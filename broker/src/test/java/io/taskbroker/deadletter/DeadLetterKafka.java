package io.taskbroker.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.config.ConfigLoader;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// A real Kafka with topics of tasks and dead letters, named after a test.
final class DeadLetterKafka implements AutoCloseable {
  private final int port = Ports.free();
  private EmbeddedKafka kafka;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Path dir;

  DeadLetterKafka(Path dir) {
    this.dir = dir;
    kafka = EmbeddedKafka.startOnPort(dir.resolve("kafka"), port);
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  /// Stops Kafka and starts it again.
  void restart() {
    kafka.close();
    kafka = EmbeddedKafka.startOnPort(dir.resolve("kafka"), port);
  }

  String bootstrap() {
    return kafka.bootstrap();
  }

  /// Creates the topics `NAME-tasks` and `NAME-dlq`, and returns their configuration.
  KafkaConfig topics(String name, int partitions) throws Exception {
    kafka.createTopic(name + "-tasks", partitions);
    kafka.createTopic(name + "-dlq", partitions);
    Path file =
        Files.writeString(
            dir.resolve(name + ".yaml"),
            """
            delivery_mode: pull
            kafka_clusters: {main: {address: "%1$s"}}
            kafka_topics:
              %2$s-tasks: {cluster: main, consumer_group: g}
              %2$s-dlq: {cluster: main, consumer_group: g, produce_only: true}
            kafka_deadletter_topic: %2$s-dlq
            """
                .formatted(kafka.bootstrap(), name));
    return ConfigLoader.load(Optional.of(file), Map.of()).kafka();
  }

  /// Sets the largest message that a topic takes.
  void limit(String topic, int bytes) throws Exception {
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap()))) {
      var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      var entry = new ConfigEntry("max.message.bytes", Integer.toString(bytes));
      admin
          .incrementalAlterConfigs(
              Map.of(resource, List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))))
          .all()
          .get();
    }
  }

  /// Produces a dead letter with the given headers, as pairs of name and value.
  void deadLetter(String topic, int partition, byte @Nullable [] value, String... headers)
      throws Exception {
    var all = new RecordHeaders();
    for (int i = 0; i < headers.length; i += 2) {
      all.add(headers[i], headers[i + 1].getBytes(UTF_8));
    }
    producer.send(new ProducerRecord<>(topic, partition, null, null, value, all)).get();
  }

  /// Produces dead letters 0 to `count - 1`, evenly spread over the partitions.
  void deadLetters(String name, int count, int partitions) throws Exception {
    var template = new TaskTemplate("app", "ns", "mail.send", 0, name.hashCode());
    var sent = new ArrayList<java.util.concurrent.Future<?>>();
    for (int i = 0; i < count; i++) {
      var headers = new RecordHeaders();
      headersOf(name + "-tasks", i, "it failed")
          .forEach((key, value) -> headers.add(key, value.getBytes(UTF_8)));
      sent.add(
          producer.send(
              new ProducerRecord<>(
                  name + "-dlq",
                  i % partitions,
                  null,
                  null,
                  template.deadLettered(i, 3).build().toByteArray(),
                  headers)));
    }
    for (var each : sent) {
      each.get();
    }
  }

  static Map<String, String> headersOf(String topic, int offset, String reason) {
    var headers = new HashMap<String, String>();
    headers.put("taskbroker-reason", reason);
    headers.put("taskbroker-failed-at", "2026-11-30T08:00:00.123Z");
    headers.put("taskbroker-topic", topic);
    headers.put("taskbroker-partition", "0");
    headers.put("taskbroker-offset", Integer.toString(offset));
    headers.put("taskbroker-attempts", "1");
    return headers;
  }

  /// The committed records of a topic.
  List<ConsumerRecord<byte[], byte[]>> committed(KafkaConfig config, String topic, String of) {
    var records = new ArrayList<ConsumerRecord<byte[], byte[]>>();
    try (TopicScan scan = TopicScan.open(config.clusterOf(of), topic).orElseThrow()) {
      scan.ranges()
          .forEach(
              (partition, range) -> scan.read(partition, range.begin(), range.end(), records::add));
    }
    return records;
  }

  /// Numbers of the tasks in a topic.
  List<Integer> tasks(KafkaConfig config, String topic) throws Exception {
    var numbers = new ArrayList<Integer>();
    for (ConsumerRecord<byte[], byte[]> each : committed(config, topic, topic)) {
      numbers.add(TaskTemplate.numberOf(TaskActivation.parseFrom(each.value())));
    }
    return numbers;
  }

  @Override
  public void close() {
    producer.close();
    kafka.close();
  }
}
