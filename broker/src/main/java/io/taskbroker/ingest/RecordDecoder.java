package io.taskbroker.ingest;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Command.IngestedRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Makes activations of the records of a topic: the same one of the same record, each time that it
/// is read. What cannot be made one becomes an arrival that says why (H12): no input makes it
/// throw. Used and closed by one thread.
interface RecordDecoder extends AutoCloseable {
  /// @param now milliseconds since the epoch
  IngestedRecord decode(
      SourcePartition partition, ConsumerRecord<byte[], byte[]> message, long now);

  @Override
  default void close() {}

  static Origin origin(ConsumerRecord<byte[], byte[]> message) {
    return new Origin(message.topic(), message.partition(), message.offset());
  }

  /// The arrival of a record that is none.
  static IngestedRecord undecodable(Origin origin, byte[] payload, long now, String why) {
    return new IngestedRecord(Activation.undecodable(origin, payload, now), why);
  }
}
