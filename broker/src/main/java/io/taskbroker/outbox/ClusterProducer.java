package io.taskbroker.outbox;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// Producer of one cluster, created on first use and replaced after it failed for good. Confined to
/// one thread, except [#markBroken].
///
/// No call waits for Kafka: a record without metadata or buffer space fails at once and is retried.
/// So a cluster that is down delays no other.
final class ClusterProducer {
  private static final int OVERHEAD_BYTES = 64 << 10;
  private static final long MIN_BUFFER_BYTES = 32L << 20;

  private final Map<String, String> client;
  private final int maxMessageSize;
  private final Function<Map<String, Object>, Producer<byte[], byte[]>> factory;
  private volatile @Nullable Instance instance; // written by the one thread

  /// @param factory creates a producer from its settings
  ClusterProducer(
      Map<String, String> client,
      int maxMessageSize,
      Function<Map<String, Object>, Producer<byte[], byte[]>> factory) {
    this.client = client;
    this.maxMessageSize = maxMessageSize;
    this.factory = factory;
  }

  /// Creates a producer of Kafka's client.
  static Producer<byte[], byte[]> kafka(Map<String, Object> settings) {
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /// @throws org.apache.kafka.common.KafkaException if the settings are invalid, or the name of no
  ///   server can be resolved now
  Producer<byte[], byte[]> producer() {
    Instance current = instance;
    if (current != null && current.broken) {
      close(Duration.ZERO);
      current = null;
    }
    if (current == null) {
      current = new Instance(factory.apply(settings()));
      instance = current;
    }
    return current.producer;
  }

  /// Marks the producer as failed for good; the next call of [#producer] replaces it. Ignores
  /// producers already replaced, which may report failures of their records for long. Thread-safe.
  void markBroken(Producer<byte[], byte[]> which) {
    Instance current = instance;
    if (current != null && current.producer.equals(which)) {
      current.broken = true;
    }
  }

  String bootstrap() {
    return client.getOrDefault(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "");
  }

  /// Closes the producer, and fails the records not acknowledged in time.
  void close(Duration timeout) {
    Instance current = instance;
    instance = null;
    if (current != null) {
      current.producer.close(timeout);
    }
  }

  private Map<String, Object> settings() {
    long largest = (long) maxMessageSize + OVERHEAD_BYTES;
    var settings = new HashMap<String, Object>(client);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 0L);
    settings.put(
        ProducerConfig.MAX_REQUEST_SIZE_CONFIG, (int) Math.min(largest, Integer.MAX_VALUE));
    settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, Math.max(MIN_BUFFER_BYTES, largest));
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 << 10);
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 0L);
    settings.putIfAbsent(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
    settings.putIfAbsent(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 30_000);
    settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000L);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, "taskbroker-outbox");
    settings.put(ProducerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    settings.put(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    return settings;
  }

  /// Producer, and whether it failed for good.
  private static final class Instance {
    private final Producer<byte[], byte[]> producer;
    private volatile boolean broken;

    Instance(Producer<byte[], byte[]> producer) {
      this.producer = producer;
    }
  }
}
