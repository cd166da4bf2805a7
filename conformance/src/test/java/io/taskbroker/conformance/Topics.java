package io.taskbroker.conformance;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/// What is in Kafka. Thread-safe.
final class Topics implements AutoCloseable {
  private final Map<String, Object> config;
  private final Admin admin;

  Topics(String bootstrap) {
    config = Map.of("bootstrap.servers", bootstrap);
    admin = Admin.create(config);
  }

  /// All values that are in a topic now.
  List<byte[]> read(String topic, int partitions) throws Exception {
    Map<TopicPartition, Long> ends = ends(topic, partitions);
    var values = new ArrayList<byte[]>();
    try (var consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(ends.keySet());
      consumer.seekToBeginning(ends.keySet());
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        consumer.poll(Duration.ofMillis(50)).forEach(record -> values.add(record.value()));
      }
    }
    return values;
  }

  /// The offsets behind the last messages, where there are any.
  Map<TopicPartition, Long> ends(String topic, int partitions)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> latest =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new TopicPartition(topic, partition))
            .collect(Collectors.toMap(partition -> partition, _ -> OffsetSpec.latest()));
    var ends = new HashMap<TopicPartition, Long>();
    admin.listOffsets(latest).all().get().forEach((which, end) -> ends.put(which, end.offset()));
    ends.values().removeIf(end -> end == 0);
    return ends;
  }

  /// What a group has committed, where that is behind any message.
  Map<TopicPartition, Long> committed(String group)
      throws ExecutionException, InterruptedException {
    var committed = new HashMap<TopicPartition, Long>();
    admin
        .listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata()
        .get()
        .forEach((which, offset) -> committed.put(which, offset.offset()));
    committed.values().removeIf(offset -> offset == 0);
    return committed;
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
  }
}
