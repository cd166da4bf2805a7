package io.taskbroker.ingest;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Command.IngestedRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Makes activations of the records of a topic: the same one of the same record, each time that it
/// is read. What cannot be made one becomes an arrival that says why (H12): no input makes it
/// throw. Used and closed by one thread.
interface RecordDecoder extends AutoCloseable {
  /// @param now milliseconds since the epoch
  IngestedRecord decode(
      SourcePartition partition, ConsumerRecord<byte[], byte[]> message, long now);

  /// The application that a record is of, of which nothing else is wanted; null if it is none.
  @Nullable String application(ConsumerRecord<byte[], byte[]> message);

  /// Whether all records of the topic are of one application.
  boolean isOfOneApplication();

  @Override
  default void close() {}

  static Origin origin(ConsumerRecord<byte[], byte[]> message) {
    return new Origin(message.topic(), message.partition(), message.offset());
  }

  static RecordIdentity identity(ConsumerRecord<byte[], byte[]> message) {
    return new RecordIdentity(
        message.offset(),
        message.leaderEpoch().orElse(RecordIdentity.NO_EPOCH),
        message.timestamp());
  }

  /// The arrival of a record that is none.
  static IngestedRecord undecodable(
      ConsumerRecord<byte[], byte[]> message, byte[] payload, long now, String why) {
    return undecodable(origin(message), message.timestamp(), payload, now, why);
  }

  /// @param timestamp of the record, milliseconds since the epoch
  static IngestedRecord undecodable(
      Origin origin, long timestamp, byte[] payload, long now, String why) {
    return new IngestedRecord(Activation.undecodable(origin, timestamp, payload, now), why);
  }
}
