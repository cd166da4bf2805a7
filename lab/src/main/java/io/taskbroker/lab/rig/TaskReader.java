package io.taskbroker.lab.rig;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.TaskTemplate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/// Reader of a topic with one partition that counts the messages of each task. Owns one thread; the
/// counts may be read by any.
public final class TaskReader implements AutoCloseable {
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final long STOP_MILLIS = 5_000;
  private static final String ORIGIN = "taskbroker-";

  private final KafkaConsumer<byte[], byte[]> kafka;
  private final AtomicIntegerArray counts;
  private final AtomicInteger tasks = new AtomicInteger();
  private final Set<String> strangers = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile boolean closed;

  private TaskReader(KafkaConsumer<byte[], byte[]> kafka, String topic, int numbers) {
    this.kafka = kafka;
    counts = new AtomicIntegerArray(numbers);
    thread = Thread.ofPlatform().name("read-" + topic).daemon().unstarted(this::read);
  }

  /// @param numbers number of tasks
  public static TaskReader of(String bootstrap, String topic, int numbers) {
    var config = Map.<String, Object>of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    var kafka =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    var partition = new TopicPartition(topic, 0);
    kafka.assign(List.of(partition));
    kafka.seekToBeginning(List.of(partition));
    var reader = new TaskReader(kafka, topic, numbers);
    reader.thread.start();
    return reader;
  }

  /// Number of tasks seen.
  public int tasks() {
    return tasks.get();
  }

  /// Number of messages of the task.
  public int count(int number) {
    return counts.get(number);
  }

  /// Number of messages without a task. Dead letters of one message count once.
  public int strangers() {
    return strangers.size();
  }

  private void read() {
    try (kafka) {
      while (!closed) {
        kafka.poll(POLL).forEach(this::count);
      }
    } catch (WakeupException _) {
      // Closed concurrently.
    }
  }

  private void count(ConsumerRecord<byte[], byte[]> message) {
    int number = -1;
    try {
      number = TaskTemplate.numberOf(TaskActivation.parseFrom(message.value()));
    } catch (InvalidProtocolBufferException _) {
      // Not a task.
    }
    if (number < 0 || number >= counts.length()) {
      strangers.add(origin(message));
    } else if (counts.incrementAndGet(number) == 1) {
      tasks.incrementAndGet();
    }
  }

  /// Original position of an undecodable message, from the headers of its dead letter; else its
  /// own.
  private static String origin(ConsumerRecord<byte[], byte[]> message) {
    var origin = new StringBuilder();
    for (String part : List.of("topic", "partition", "offset")) {
      @Nullable Header header = message.headers().lastHeader(ORIGIN + part);
      if (header == null) {
        return "at " + message.offset();
      }
      origin.append(new String(header.value(), UTF_8)).append(' ');
    }
    return origin.toString();
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
