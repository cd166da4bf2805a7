package io.taskbroker.simulation;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Producer to the simulated cluster; requests and replies may be lost.
@SuppressWarnings("UnsynchronizedOverridesSynchronized") // single-threaded
final class SimulatedProducer extends MockProducer<byte[], byte[]> {
  private static final Node[] NOBODY = {};

  private final SimulatedProcess process;
  private final SimulatedKafka kafka;
  private final Runnable wake;

  /// @param wake schedules a turn of the outbox soon
  SimulatedProducer(SimulatedProcess process, SimulatedKafka kafka, Runnable wake) {
    this.process = process;
    this.kafka = kafka;
    this.wake = wake;
  }

  @Override
  public List<PartitionInfo> partitionsFor(String topic) {
    if (kafka.world.happens(Fault.PRODUCE_FAILS)) {
      throw new TimeoutException("topic not known yet");
    }
    int partitions = kafka.topic(topic).partitions().size();
    return Collections.nCopies(partitions, new PartitionInfo(topic, 0, null, NOBODY, NOBODY));
  }

  @Override
  public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
    SimulatedWorld world = kafka.world;
    if (world.happens(Fault.PRODUCE_REFUSED)) {
      answer(record, callback, new RecordTooLargeException("random refusal"));
    } else if (world.happens(Fault.PRODUCE_FAILS)) {
      boolean anew = world.random.nextBoolean();
      answer(
          record,
          callback,
          anew ? new KafkaException("fatal error") : new TimeoutException("lost"));
    } else {
      if (world.diesHere()) {
        throw new Crash("before a record was sent");
      }
      // The request outlives the process.
      world.after(
          world.between(SimulatedWorld.MS / 5, 20 * SimulatedWorld.MS),
          "produce",
          () -> {
            kafka.append(record.topic(), record.partition(), record.value());
            if (world.diesHere() && process.isAlive()) {
              process.broker.crash("before the reply to a record");
            }
            boolean lost = world.happens(Fault.PRODUCE_LOSES_REPLY);
            answer(record, callback, lost ? new TimeoutException("reply lost") : null);
          });
      if (world.diesHere()) {
        throw new Crash("while a record was in flight");
      }
    }
    return CompletableFuture.completedFuture(null);
  }

  private void answer(
      ProducerRecord<byte[], byte[]> record, Callback callback, @Nullable Exception failure) {
    process.later(
        kafka.world.between(SimulatedWorld.MS / 5, 20 * SimulatedWorld.MS),
        "produce answer",
        () -> {
          var partition = new TopicPartition(record.topic(), record.partition());
          callback.onCompletion(new RecordMetadata(partition, 0, 0, 0, 0, 0), failure);
          wake.run();
          if (kafka.world.diesHere()) {
            throw new Crash("after the reply to a record");
          }
        });
  }

  @Override
  public void close(Duration timeout) {}
}
