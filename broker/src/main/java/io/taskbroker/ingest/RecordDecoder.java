package io.taskbroker.ingest;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Decoder of the records of one topic into activations. A record that is read again gives the same
/// activation. An undecodable record becomes an [IngestedRecord] with the reason (H12); no input
/// makes a decoder throw. Used and closed by one thread.
interface RecordDecoder extends AutoCloseable {
  /// @param now milliseconds since the epoch
  IngestedRecord decode(
      SourcePartition partition, ConsumerRecord<byte[], byte[]> message, long now);

  /// The application of a record, without the rest of it; null if the record is undecodable.
  @Nullable String application(ConsumerRecord<byte[], byte[]> message);

  /// Whether all records of the topic belong to one application.
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

  /// The ingested record of an undecodable message.
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
