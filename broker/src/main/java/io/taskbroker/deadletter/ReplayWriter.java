package io.taskbroker.deadletter;

import io.taskbroker.config.ClusterConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// Transactional producer of the replays of one dead-letter topic. Opening one ends the transaction
/// of the last one, and fences it: only one process at a time replays a topic. One thread.
final class ReplayWriter implements AutoCloseable {
  private static final int TIMEOUT_MS = 10_000;
  private static final int OVERHEAD_BYTES = 64 << 10;
  private static final int MAX_REQUEST_BYTES = 32 << 20;

  private final KafkaProducer<byte[], byte[]> producer;

  /// @throws org.apache.kafka.common.KafkaException if Kafka does not answer or refuses
  ReplayWriter(ClusterConfig cluster, String deadLetters, int maxMessageSize) {
    var settings = new HashMap<String, Object>(cluster.clientProperties());
    settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "taskbroker-replay-" + deadLetters);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, "taskbroker-replay");
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, TIMEOUT_MS);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (long) TIMEOUT_MS);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS / 2);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 5L);
    settings.put(
        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
        Math.max(MAX_REQUEST_BYTES, maxMessageSize + OVERHEAD_BYTES));
    settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000L);
    settings.put(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    try {
      producer.initTransactions();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /// Creates the topic of the resolutions if it does not exist.
  static void createTopic(ClusterConfig cluster, String name) throws InterruptedException {
    try (Admin admin = Admin.create(TopicScan.adminSettings(cluster))) {
      var topic =
          new NewTopic(name, Optional.of(1), Optional.empty())
              .configs(
                  Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT));
      admin.createTopics(List.of(topic)).all().get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw TopicScan.failure(
            "Cannot create topic " + name + ", which records what is replayed",
            cluster,
            e.getCause());
      }
    } catch (java.util.concurrent.TimeoutException e) {
      throw TopicScan.failure("Cannot create topic " + name, cluster, e);
    }
  }

  /// Writes records in one transaction.
  ///
  /// @return for each record its failure; if one failed, none of them is written
  /// @throws org.apache.kafka.common.KafkaException if the transaction may be written or not: the
  ///   next writer that is opened decides
  List<Optional<Throwable>> write(List<ProducerRecord<byte[], byte[]>> records)
      throws InterruptedException {
    producer.beginTransaction();
    var sent = new ArrayList<Future<RecordMetadata>>(records.size());
    for (ProducerRecord<byte[], byte[]> each : records) {
      sent.add(producer.send(each));
    }
    producer.flush();
    var failures = new ArrayList<Optional<Throwable>>();
    for (Future<RecordMetadata> each : sent) {
      try {
        each.get();
        failures.add(Optional.empty());
      } catch (ExecutionException e) {
        failures.add(Optional.of(e.getCause() == null ? e : e.getCause()));
      }
    }
    if (failures.stream().allMatch(Optional::isEmpty)) {
      producer.commitTransaction();
    } else {
      producer.abortTransaction();
    }
    return failures;
  }

  @Override
  public void close() {
    producer.close(Duration.ZERO);
  }
}
