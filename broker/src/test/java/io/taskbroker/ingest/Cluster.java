package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// Operations of operators and producers on a Kafka cluster, for tests.
final class Cluster implements AutoCloseable {
  private final Admin admin;
  private final KafkaProducer<byte[], byte[]> producer;
  private final String bootstrap;

  Cluster(String bootstrap) {
    this.bootstrap = bootstrap;
    this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    this.producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap, "linger.ms", "0"),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  /// Bytes of an activation with that id.
  static byte[] activation(String id) {
    return TaskActivation.newBuilder().setId(id).setTaskname("task").build().toByteArray();
  }

  /// Produces activations, one request each.
  void produce(String topic, int partition, int count) throws Exception {
    for (int i = 0; i < count; i++) {
      produce(topic, partition, activation("id-" + i));
    }
  }

  /// Produces activations in as few requests as possible.
  void produceMany(String topic, int partition, int count) throws Exception {
    var sent = new ArrayList<Future<?>>();
    for (int i = 0; i < count; i++) {
      sent.add(
          producer.send(new ProducerRecord<>(topic, partition, null, activation("many-" + i))));
    }
    for (Future<?> each : sent) {
      each.get(60, TimeUnit.SECONDS);
    }
  }

  void produce(String topic, int partition, byte @Nullable [] value) throws Exception {
    producer.send(new ProducerRecord<>(topic, partition, null, value)).get(60, TimeUnit.SECONDS);
  }

  /// Produces activations in a transaction, and commits or aborts it.
  void produceInTransaction(String topic, int count, boolean commit) {
    try (var transactional = openTransaction(topic, count)) {
      if (commit) {
        transactional.commitTransaction();
      } else {
        transactional.abortTransaction();
      }
    }
  }

  /// The same, and leaves the transaction open.
  KafkaProducer<byte[], byte[]> openTransaction(String topic, int count) {
    var transactional =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap, "transactional.id", "transactions-" + topic),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    transactional.initTransactions();
    transactional.beginTransaction();
    for (int i = 0; i < count; i++) {
      var _ =
          transactional.send(
              new ProducerRecord<>(topic, 0, null, ("in transaction " + i).getBytes(UTF_8)));
    }
    transactional.flush();
    return transactional;
  }

  /// The committed offset; [Watermark#NONE] if there is none.
  long committed(String group, String topic, int partition) throws Exception {
    OffsetAndMetadata offset = commit(group, topic, partition);
    return offset == null ? Watermark.NONE : offset.offset();
  }

  /// Metadata of the committed offset; empty if there is none.
  String metadata(String group, String topic, int partition) throws Exception {
    OffsetAndMetadata offset = commit(group, topic, partition);
    return offset == null ? "" : offset.metadata();
  }

  private @Nullable OffsetAndMetadata commit(String group, String topic, int partition)
      throws Exception {
    return admin
        .listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata()
        .get(60, TimeUnit.SECONDS)
        .get(new TopicPartition(topic, partition));
  }

  void resetOffset(String group, String topic, int partition, long offset) throws Exception {
    resetOffset(group, topic, partition, new OffsetAndMetadata(offset));
  }

  void resetOffset(String group, String topic, int partition, OffsetAndMetadata offset)
      throws Exception {
    var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
    offsets.put(new TopicPartition(topic, partition), offset);
    admin.alterConsumerGroupOffsets(group, offsets).all().get(60, TimeUnit.SECONDS);
  }

  SourcePartition partition(String group, String topic, int number) throws Exception {
    String cluster = admin.describeCluster().clusterId().get(60, TimeUnit.SECONDS);
    String topicId =
        Objects.requireNonNull(
                admin
                    .describeTopics(List.of(topic))
                    .allTopicNames()
                    .get(60, TimeUnit.SECONDS)
                    .get(topic))
            .topicId()
            .toString();
    return new SourcePartition(cluster, group, topicId, topic, number);
  }

  void deleteRecordsBelow(String topic, int partition, long offset) throws Exception {
    admin
        .deleteRecords(
            Map.of(new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(offset)))
        .all()
        .get(60, TimeUnit.SECONDS);
  }

  void addPartitions(String topic, int total) throws Exception {
    admin
        .createPartitions(Map.of(topic, NewPartitions.increaseTo(total)))
        .all()
        .get(60, TimeUnit.SECONDS);
  }

  void removeMember(String group, String groupInstanceId) throws Exception {
    var members = List.of(new MemberToRemove(groupInstanceId));
    admin
        .removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(members))
        .all()
        .get(60, TimeUnit.SECONDS);
  }

  Collection<?> members(String group) throws Exception {
    return Objects.requireNonNull(
            admin.describeConsumerGroups(List.of(group)).all().get(60, TimeUnit.SECONDS).get(group))
        .members();
  }

  @Override
  public void close() {
    producer.close();
    admin.close();
  }
}
