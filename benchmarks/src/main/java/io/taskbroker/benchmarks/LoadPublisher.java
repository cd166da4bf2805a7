package io.taskbroker.benchmarks;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.TaskTemplate;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// Publisher of the tasks of one application, on its own thread: at a rate, where latency counts
/// from the scheduled time, however late the send (no coordinated omission); or as fast as tasks
/// are completed, with a bound on uncompleted tasks.
final class LoadPublisher implements AutoCloseable {
  private static final long PAUSE_NANOS = 1_000_000;
  private static final int STRIDE = 64;
  private static final long STOP_MILLIS = 10_000;

  private final String topic;
  private final Scenario.Offer offer;
  private final ExecutionLog log;
  private final TaskTemplate template;
  private final KafkaProducer<byte[], byte[]> producer;
  private final LongAdder failed = new LongAdder();
  private final Thread thread;
  private volatile boolean stopped;
  private volatile int published;
  private long startedAt;

  LoadPublisher(
      String bootstrap, String topic, String application, Scenario.Offer offer, ExecutionLog log) {
    this.topic = topic;
    this.offer = offer;
    this.log = log;
    template =
        new TaskTemplate(
            application, "bench", "bench.sleep", offer.parameterBytes(), System.nanoTime());
    producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ProducerConfig.CLIENT_ID_CONFIG,
                "bench-" + application,
                ProducerConfig.LINGER_MS_CONFIG,
                offer.lingerMillis(),
                ProducerConfig.BUFFER_MEMORY_CONFIG,
                64L << 20),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    thread = Thread.ofPlatform().name("publisher").daemon().unstarted(this::run);
  }

  void start() {
    startedAt = System.nanoTime();
    thread.start();
  }

  /// Publishes a number of tasks, and returns once Kafka has acknowledged them.
  ///
  /// @param delay of each task, in whole seconds
  void publish(int tasks, Duration delay) {
    for (int number = 0; number < tasks; number++) {
      log.published(number);
      var task = template.task(number);
      if (delay.isPositive()) {
        task.setDelay(delay.toSeconds());
      }
      send(task);
      published = number + 1;
    }
    producer.flush();
  }

  private void run() {
    try {
      int number = 0;
      while (!stopped && number < log.tasks()) {
        if (offer.rate() > 0) {
          long due = startedAt + offer.dueAt(number);
          awaitTurn(due);
          log.due(number, due);
        } else {
          if (number % STRIDE == 0) {
            awaitRoom(number);
          }
          log.published(number);
        }
        if (!stopped) {
          send(template.task(number));
          published = ++number;
        }
      }
      producer.flush();
    } catch (InterruptException _) {
      // Closed concurrently.
    }
  }

  private void awaitTurn(long due) {
    long wait = due - System.nanoTime();
    while (wait > 0 && !stopped) {
      LockSupport.parkNanos(this, wait);
      wait = due - System.nanoTime();
    }
  }

  private void awaitRoom(int number) {
    while (number - log.completedTasks() > offer.window() && !stopped) {
      LockSupport.parkNanos(this, PAUSE_NANOS);
    }
  }

  private void send(TaskActivation.Builder task) {
    var record = new ProducerRecord<byte[], byte[]>(topic, task.build().toByteArray());
    var _ =
        producer.send(
            record,
            (_, e) -> {
              if (e != null) {
                failed.increment();
              }
            });
  }

  /// Stops publishing; returns the number of acknowledged tasks.
  int stop() throws InterruptedException {
    stopped = true;
    thread.join(STOP_MILLIS);
    producer.flush();
    return published();
  }

  /// Number of tasks passed to the Kafka client so far.
  int published() {
    return published;
  }

  long failed() {
    return failed.sum();
  }

  @Override
  public void close() {
    stopped = true;
    thread.interrupt();
    producer.close();
  }
}
