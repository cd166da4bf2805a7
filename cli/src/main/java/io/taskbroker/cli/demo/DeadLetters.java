package io.taskbroker.cli.demo;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.TaskTemplate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/// Reads the dead-letter topic, and counts what arrives for each task. Owns one thread; the counts
/// may be read by any.
final class DeadLetters implements AutoCloseable {
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final long STOP_MILLIS = 5_000;

  private final KafkaConsumer<byte[], byte[]> kafka;
  private final AtomicIntegerArray counts;
  private final AtomicInteger tasks = new AtomicInteger();
  private final AtomicInteger strangers = new AtomicInteger();
  private final Thread thread;
  private volatile boolean closed;

  private DeadLetters(KafkaConsumer<byte[], byte[]> kafka, int numbers) {
    this.kafka = kafka;
    counts = new AtomicIntegerArray(numbers);
    thread = Thread.ofPlatform().name("demo-dead-letters").daemon().unstarted(this::read);
  }

  /// @param numbers how many tasks there are
  static DeadLetters readFrom(String bootstrap, String topic, int numbers) {
    var config = Map.<String, Object>of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    var kafka =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    var partition = new TopicPartition(topic, 0);
    kafka.assign(List.of(partition));
    kafka.seekToBeginning(List.of(partition));
    var letters = new DeadLetters(kafka, numbers);
    letters.thread.start();
    return letters;
  }

  /// How many tasks were seen.
  int tasks() {
    return tasks.get();
  }

  /// How often the task was seen.
  int count(int number) {
    return counts.get(number);
  }

  /// How many messages belong to no task.
  int strangers() {
    return strangers.get();
  }

  private void read() {
    try (kafka) {
      while (!closed) {
        kafka.poll(POLL).forEach(message -> note(message.value()));
      }
    } catch (WakeupException _) {
      // Closed.
    }
  }

  private void note(byte[] message) {
    int number = -1;
    try {
      number = TaskTemplate.numberOf(TaskActivation.parseFrom(message));
    } catch (InvalidProtocolBufferException _) {
      // A stranger.
    }
    if (number < 0 || number >= counts.length()) {
      strangers.incrementAndGet();
    } else if (counts.incrementAndGet(number) == 1) {
      tasks.incrementAndGet();
    }
  }

  @Override
  public void close() {
    closed = true;
    kafka.wakeup();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
