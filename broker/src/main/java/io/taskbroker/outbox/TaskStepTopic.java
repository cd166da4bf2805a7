package io.taskbroker.outbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.SideChannel;
import io.taskbroker.telemetry.TaskStepJson;
import io.taskbroker.telemetry.TaskStepSink;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Topic with the audit stream of the steps of tasks: a record of JSON for each, with the id of the
/// task as its key. A task never waits for it: steps beyond [#QUEUE_BYTES] in the queue and
/// [#BUFFER_BYTES] in the producer, and those that Kafka does not take within [#DELIVERY], are
/// dropped and counted, and a record without a key says how many are missing.
///
/// [#step] is called by the engine's thread, and never blocks; a thread of its own calls Kafka.
public final class TaskStepTopic implements Service, TaskStepSink {
  private static final Logger LOG = LoggerFactory.getLogger(TaskStepTopic.class);

  private static final long QUEUE_BYTES = 1 << 20;
  private static final long BUFFER_BYTES = 8 << 20;
  private static final Duration DELIVERY = Duration.ofSeconds(30);
  private static final Duration LONGEST_SEND = Duration.ofSeconds(1);
  private static final Duration STOP = Duration.ofSeconds(1);

  private final String topic;
  private final Map<String, String> client;
  private final SideChannel<Step> channel;
  private final AtomicBoolean isFailing = new AtomicBoolean();

  /// Steps that the producer gave up, and those of them that no record has named yet.
  private final AtomicLong lost = new AtomicLong();

  private final AtomicLong unreported = new AtomicLong();

  /// Written by the thread of the channel only.
  private volatile @Nullable Producer<byte[], byte[]> producer;

  /// @param client settings of Kafka's clients for the cluster of the topic, with secrets
  public TaskStepTopic(String topic, Map<String, String> client) {
    this.topic = topic;
    this.client = Map.copyOf(client);
    this.channel =
        new SideChannel<>("task-step-topic", QUEUE_BYTES, step -> step.json.length, new Sender());
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Step(String id, byte[] json) {}

  @Override
  public void step(String step, long at, Subject task, String detail) {
    boolean _ = channel.offer(new Step(task.id(), TaskStepJson.of(step, at, task, detail)), false);
  }

  @Override
  public long dropped() {
    return channel.dropped() + lost.get();
  }

  @Override
  public String name() {
    return "task step topic";
  }

  @Override
  public void start() {}

  /// Waits a moment until everything is produced.
  @Override
  public void stop() {
    boolean _ = channel.flush(STOP);
    Producer<byte[], byte[]> last = producer;
    if (last != null) {
      last.close(STOP);
    }
  }

  /// Producer of the steps; runs on the thread of the channel.
  private final class Sender implements SideChannel.Receiver<Step> {
    @Override
    public void take(Step step) {
      sayWhatIsMissing();
      send(
          new ProducerRecord<>(topic, step.id.getBytes(UTF_8), step.json),
          () -> {
            lost.incrementAndGet();
            unreported.incrementAndGet();
          });
    }

    @Override
    public void lost(long number) {
      unreported.addAndGet(number);
      sayWhatIsMissing();
    }

    private void sayWhatIsMissing() {
      long number = unreported.getAndSet(0);
      if (number > 0) {
        try {
          send(
              new ProducerRecord<>(topic, TaskStepJson.missing(number)),
              () -> unreported.addAndGet(number));
        } catch (RuntimeException _) {
          unreported.addAndGet(number); // said before the next step that Kafka takes
        }
      }
    }

    /// @param onLoss called by the producer if Kafka does not take it after all
    private void send(ProducerRecord<byte[], byte[]> record, Runnable onLoss) {
      try {
        var _ =
            producer()
                .send(
                    record,
                    (metadata, error) -> {
                      if (error == null) {
                        produced();
                      } else {
                        onLoss.run();
                        failed(error);
                      }
                    });
      } catch (RuntimeException e) {
        failed(e);
        throw e;
      }
    }

    private Producer<byte[], byte[]> producer() {
      Producer<byte[], byte[]> present = producer;
      if (present == null) {
        present =
            new KafkaProducer<>(settings(), new ByteArraySerializer(), new ByteArraySerializer());
        producer = present;
      }
      return present;
    }
  }

  private void failed(Exception error) {
    if (!isFailing.getAndSet(true)) {
      LOG.warn(
          "Steps of tasks cannot be produced to {}: {}. They are dropped meanwhile, and counted",
          topic,
          error.toString());
    }
  }

  private void produced() {
    if (isFailing.get() && isFailing.getAndSet(false)) {
      LOG.info("Steps of tasks are produced to {} again; {} were dropped so far", topic, dropped());
    }
  }

  /// Without idempotence, no failure is for good.
  private Map<String, Object> settings() {
    var settings = new HashMap<String, Object>(client);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
    settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, LONGEST_SEND.toMillis());
    settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_BYTES);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 << 10);
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 50L);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) DELIVERY.toMillis());
    settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000L);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, "taskbroker-task-steps");
    settings.put(ProducerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    settings.put(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    return settings;
  }
}
