package io.taskbroker.client.kafka;

import io.taskbroker.client.BrokerFullException;
import io.taskbroker.client.BrokerUnavailableException;
import io.taskbroker.client.TaskBrokerException;
import io.taskbroker.client.TaskRejectedException;
import io.taskbroker.client.TaskState;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.AwaitResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.GetResponse;
import io.taskbroker.protocol.v1.NewTask;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// Transport through Kafka, in the form that brokers and the published Python client share. A call
/// is enqueued when Kafka has acknowledged it from all in-sync replicas. Thread-safe.
///
/// Kafka has no answers: state, outcome and cancellation throw [UnsupportedOperationException], and
/// a repeated id is recognised by the broker while the first is in flight. Delays have whole
/// seconds, and retries a fixed delay.
public final class KafkaTransport implements TaskTransport {
  private static final int MAX_WAITING = 10_000;

  private final Producer<byte[], byte[]> producer;
  private final Function<NewTask, String> topic;
  private final InstantSource clock = InstantSource.system();
  private final Semaphore room = new Semaphore(MAX_WAITING);

  private KafkaTransport(Producer<byte[], byte[]> producer, Function<NewTask, String> topic) {
    this.producer = producer;
    this.topic = topic;
  }

  /// Produces all calls to one topic.
  ///
  /// @param settings of the producer, `bootstrap.servers` at least; `acks=all` and idempotence are
  ///   its defaults
  public static KafkaTransport of(Map<String, Object> settings, String topic) {
    return of(settings, call -> topic);
  }

  /// Produces each call to the topic that the function says, which must be thread-safe.
  public static KafkaTransport of(Map<String, Object> settings, Function<NewTask, String> topic) {
    var config = new HashMap<String, Object>();
    config.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    config.putAll(settings);
    return new KafkaTransport(
        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer()), topic);
  }

  @Override
  public CompletableFuture<Enqueued> enqueue(NewTask call, boolean waits) {
    if (waits) {
      room.acquireUninterruptibly();
    } else if (!room.tryAcquire()) {
      return CompletableFuture.failedFuture(
          new BrokerFullException(
              "Could not enqueue task %s: %d calls wait for Kafka. Produce more slowly"
                  .formatted(Activations.id(call), MAX_WAITING)));
    }
    var answer = new CompletableFuture<Enqueued>();
    TaskActivation activation = Activations.of(call, clock.instant());
    try {
      var unused =
          producer.send(
              new ProducerRecord<>(topic.apply(call), activation.toByteArray()),
              (metadata, error) -> finish(activation, answer, error));
    } catch (RuntimeException e) {
      finish(activation, answer, e);
    }
    return answer;
  }

  private void finish(
      TaskActivation activation, CompletableFuture<Enqueued> answer, @Nullable Exception error) {
    room.release();
    if (error == null) {
      EnqueueResult accepted =
          EnqueueResult.newBuilder()
              .setStatus(EnqueueStatus.ENQUEUE_STATUS_ACCEPTED)
              .setId(activation.getId())
              .build();
      answer.complete(new Enqueued(accepted, ""));
    } else {
      answer.completeExceptionally(failure(activation, error));
    }
  }

  private static TaskBrokerException failure(TaskActivation activation, Exception error) {
    String text =
        "Could not produce task %s (%s) to Kafka: %s"
            .formatted(activation.getId(), activation.getTaskname(), error.getMessage());
    if (error instanceof RecordTooLargeException) {
      return new TaskRejectedException(TaskRejectedException.Reason.INVALID, text, error);
    }
    return error instanceof TimeoutException || error instanceof RetriableException
        ? new BrokerUnavailableException(text + " (check that Kafka runs)", error)
        : new TaskRejectedException(TaskRejectedException.Reason.NOT_ALLOWED, text, error);
  }

  @Override
  public GetResponse get(String broker, String id) {
    throw unsupported("get the state of task " + id);
  }

  @Override
  public AwaitResponse await(String broker, String id, Duration timeout) {
    throw unsupported("wait for task " + id);
  }

  @Override
  public TaskState cancel(String broker, String id) {
    throw unsupported("cancel task " + id);
  }

  private static UnsupportedOperationException unsupported(String what) {
    return new UnsupportedOperationException(
        "Could not " + what + ": it was sent through Kafka; ask by a client of the broker");
  }

  @Override
  public void close() {
    producer.close();
  }
}
