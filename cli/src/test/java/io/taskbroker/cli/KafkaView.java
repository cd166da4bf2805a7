package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// A test's access to Kafka, beside the broker.
final class KafkaView implements AutoCloseable {
  private static final int LARGEST_REQUEST = 8 << 20;

  private final String bootstrap;
  private final Admin admin;
  private final KafkaProducer<byte[], byte[]> producer;
  private final KafkaConsumer<byte[], byte[]> consumer;

  KafkaView(String bootstrap) {
    this.bootstrap = bootstrap;
    Map<String, Object> config = Map.of("bootstrap.servers", bootstrap);
    admin = Admin.create(config);
    consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    var producing = new HashMap<>(config);
    producing.put("max.request.size", LARGEST_REQUEST);
    producer = new KafkaProducer<>(producing, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /// The value of `bootstrap.servers`.
  String bootstrap() {
    return bootstrap;
  }

  /// Creates the topics of a broker: its tasks and its dead letters. They take messages as large as
  /// the broker does, which would name them as a trouble otherwise.
  void createTopics(BrokerSetup broker, int partitions) throws Exception {
    var roomy = Map.of("max.message.bytes", Integer.toString(LARGEST_REQUEST));
    createTopic(broker.topic(), partitions, roomy);
    createTopic(broker.deadLetters(), 1, roomy);
  }

  void createTopic(String name, int partitions, Map<String, String> config) {
    EmbeddedKafka.createTopic(admin, new NewTopic(name, partitions, (short) 1).configs(config));
  }

  /// Deletes a topic, and returns when the name can be reused.
  void deleteTopic(String name) throws Exception {
    admin.deleteTopics(List.of(name)).all().get();
  }

  /// Offset that the broker's group has committed for the first partition of a topic.
  long committedOf(BrokerSetup broker, String topic) throws Exception {
    return committed(broker).getOrDefault(new TopicPartition(topic, 0), -1L);
  }

  /// Publishes a value to partition 0, and returns when Kafka has acknowledged it.
  void publish(String topic, byte @Nullable [] value) throws Exception {
    publish(topic, 0, value);
  }

  /// The same to another partition.
  void publish(String topic, int partition, byte @Nullable [] value) throws Exception {
    producer.send(new ProducerRecord<>(topic, partition, null, value)).get();
  }

  /// Publishes a dead letter of a broker, with the headers of the task at that offset of its topic,
  /// which failed with `timeout N of 9` after three attempts.
  void publishLetter(BrokerSetup broker, int offset, byte[] value) throws Exception {
    var headers = new RecordHeaders();
    headers.add("taskbroker-reason", ("timeout " + offset + " of 9").getBytes(UTF_8));
    headers.add("taskbroker-attempts", "3".getBytes(UTF_8));
    headers.add("taskbroker-topic", broker.topic().getBytes(UTF_8));
    headers.add("taskbroker-partition", "0".getBytes(UTF_8));
    headers.add("taskbroker-offset", Integer.toString(offset).getBytes(UTF_8));
    producer.send(new ProducerRecord<>(broker.deadLetters(), 0, null, null, value, headers)).get();
  }

  /// All current records of a topic.
  List<ConsumerRecord<byte[], byte[]>> read(String topic) throws Exception {
    Map<TopicPartition, Long> ends = ends(topic);
    consumer.assign(ends.keySet());
    consumer.seekToBeginning(ends.keySet());
    var records = new ArrayList<ConsumerRecord<byte[], byte[]>>();
    while (ends.entrySet().stream()
        .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
      consumer.poll(Duration.ofMillis(50)).forEach(records::add);
    }
    return records;
  }

  /// Numbers of the tasks in the broker's dead-letter topic.
  Set<Integer> deadTasks(BrokerSetup broker) throws Exception {
    var dead = new TreeSet<Integer>();
    for (ConsumerRecord<byte[], byte[]> letter : read(broker.deadLetters())) {
      dead.add(TaskTemplate.numberOf(TaskActivation.parseFrom(letter.value())));
    }
    return dead;
  }

  /// Number of messages ever published to a topic.
  long published(String topic) throws Exception {
    return ends(topic).values().stream().mapToLong(Long::longValue).sum();
  }

  /// Asserts that the broker's group has committed all of its topic.
  void assertAllCommitted(BrokerSetup broker) throws Exception {
    assertThat(committed(broker)).isEqualTo(ends(broker.topic()));
  }

  /// Offsets that the broker's group has committed.
  Map<TopicPartition, Long> committed(BrokerSetup broker) throws Exception {
    return admin
        .listConsumerGroupOffsets(broker.group())
        .partitionsToOffsetAndMetadata()
        .get()
        .entrySet()
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
  }

  private Map<TopicPartition, Long> ends(String topic) throws Exception {
    var description =
        List.copyOf(admin.describeTopics(List.of(topic)).allTopicNames().get().values());
    int partitions = description.getFirst().partitions().size();
    var ends = new HashMap<TopicPartition, Long>();
    for (int partition = 0; partition < partitions; partition++) {
      var which = new TopicPartition(topic, partition);
      ends.put(
          which,
          admin
              .listOffsets(Map.of(which, OffsetSpec.latest()))
              .partitionResult(which)
              .get()
              .offset());
    }
    return ends;
  }

  static Map<String, String> headers(ConsumerRecord<byte[], byte[]> message) {
    return Arrays.stream(message.headers().toArray())
        .collect(
            Collectors.toMap(
                header -> header.key(),
                header -> new String(header.value(), StandardCharsets.UTF_8)));
  }

  @Override
  public void close() {
    producer.close(Duration.ZERO);
    consumer.close();
    admin.close(Duration.ZERO);
  }
}
