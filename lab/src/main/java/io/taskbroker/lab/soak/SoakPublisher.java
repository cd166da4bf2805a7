package io.taskbroker.lab.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.TaskTemplate;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// Publisher of the tasks of a workload, each at its time or as soon as Kafka accepts it, on its
/// own thread; also publishes messages for others. Thread-safe.
final class SoakPublisher implements AutoCloseable {
  private static final int PARAMETER_BYTES = 400;
  private static final long STOP_MILLIS = 5_000;

  private final Workload workload;
  private final Runs runs;
  private final ExecutionLog log;
  private final KafkaProducer<byte[], byte[]> kafka;
  private final BitSet failed = new BitSet();
  private final Thread thread;
  private volatile int published;
  private volatile boolean closed;
  private volatile boolean done;

  SoakPublisher(String bootstrap, Workload workload, Runs runs, ExecutionLog log) {
    this.workload = workload;
    this.runs = runs;
    this.log = log;
    // Otherwise several soaks of one seed would have the same order of records.
    kafka =
        new KafkaProducer<>(
            Map.<String, Object>of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ProducerConfig.LINGER_MS_CONFIG,
                0),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    thread = Thread.ofPlatform().name("soak-publisher").daemon().unstarted(this::publish);
  }

  void start() {
    thread.start();
  }

  private void publish() {
    var template = new TaskTemplate("-", "soak", "soak.task", PARAMETER_BYTES, System.nanoTime());
    try {
      for (int number = 0; number < workload.tasks() && !closed; number++) {
        awaitTurn(workload.publishedAfter(number).toNanos());
        publish(number, template);
        published = number + 1;
      }
      kafka.flush();
    } catch (InterruptException _) {
      // Closed concurrently.
    } finally {
      done = true;
    }
  }

  private void awaitTurn(long turn) {
    long wait = turn - runs.now();
    while (wait > 0 && !closed) {
      LockSupport.parkNanos(this, wait);
      wait = turn - runs.now();
    }
  }

  private void publish(int number, TaskTemplate template) {
    log.published(number);
    byte[] activation = workload.activation(number, template).toByteArray();
    ProducerRecord<byte[], byte[]> message =
        workload.kind(number) == SoakTaskKind.RAW
            ? raw(number)
            : new ProducerRecord<>(SoakSetting.TASKS, activation);
    var _ =
        kafka.send(
            message,
            (_, failure) -> {
              if (failure != null) {
                fail(number);
              }
            });
  }

  private static ProducerRecord<byte[], byte[]> raw(int number) {
    byte[] text = Integer.toString(number).getBytes(UTF_8);
    var header = new RecordHeader(TaskTemplate.NUMBER, text);
    return new ProducerRecord<byte[], byte[]>(
        SoakSetting.CLICKS, null, (byte[]) null, text, List.of(header));
  }

  /// Publishes a message outside the workload.
  void send(String topic, byte[] value) {
    var _ = kafka.send(new ProducerRecord<>(topic, value));
  }

  private synchronized void fail(int number) {
    failed.set(number);
  }

  /// Tasks whose publication failed or is unknown.
  synchronized BitSet failed() {
    return (BitSet) failed.clone();
  }

  int published() {
    return published;
  }

  /// Whether everything was published.
  boolean isDone() {
    return done;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    thread.interrupt();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    kafka.close(java.time.Duration.ofMillis(STOP_MILLIS));
  }
}
