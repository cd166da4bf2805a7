package io.taskbroker.testkit;

import io.taskbroker.proto.v1.TaskActivation;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// Producer of activations that publishes like the Python client: no key, no headers, no linger.
/// Thread-safe.
public final class TaskProducer implements AutoCloseable {
  private final String topic;
  private final ExecutionLog log;
  private final KafkaProducer<byte[], byte[]> kafka;
  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final Callback count =
      (_, e) -> {
        if (e == null) {
          acknowledged.increment();
        } else {
          failed.increment();
        }
      };

  /// @param log records each publication
  public TaskProducer(String bootstrap, String topic, ExecutionLog log) {
    this.topic = topic;
    this.log = log;
    var config =
        Map.<String, Object>of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ProducerConfig.CLIENT_ID_CONFIG,
            "task-producer",
            ProducerConfig.LINGER_MS_CONFIG,
            0);
    kafka = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /// Passes an activation to the Kafka client; blocks while its buffer is full.
  public void send(int number, TaskActivation activation) {
    log.published(number);
    send(activation.toByteArray());
  }

  /// Passes arbitrary bytes to the Kafka client.
  public void send(byte[] value) {
    var _ = kafka.send(new ProducerRecord<>(topic, value), count);
  }

  /// Returns when everything sent before was acknowledged or failed.
  public void flush() {
    kafka.flush();
  }

  public long acknowledged() {
    return acknowledged.sum();
  }

  public long failed() {
    return failed.sum();
  }

  @Override
  public void close() {
    kafka.close();
  }
}
