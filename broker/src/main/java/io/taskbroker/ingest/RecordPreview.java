package io.taskbroker.ingest;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.ingest.fetch.UnreadRecord;
import io.taskbroker.telemetry.Metrics;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Decoder of a topic for tools that read it beside its brokers: gives the activations that intake
/// would give. One thread.
public final class RecordPreview implements AutoCloseable {
  private static final long UNBOUNDED_SECONDS = Long.MAX_VALUE / 10_000;

  private final TopicSource source;
  private final RecordDecoder decoder;
  private final RecordDecoder withoutBound;

  /// One record.
  ///
  /// @param flaw why it becomes a dead letter; null if it can be decoded
  /// @param delayClamped whether it asks for a longer delay than the broker allows
  public record Preview(Activation activation, @Nullable String flaw, boolean delayClamped) {}

  public RecordPreview(TopicSource source, IngestOptions options) {
    this.source = source;
    this.decoder = decoder(source, options, options.maxDelaySeconds());
    this.withoutBound = decoder(source, options, UNBOUNDED_SECONDS);
  }

  private static RecordDecoder decoder(
      TopicSource source, IngestOptions options, long maxDelaySeconds) {
    return source
        .raw()
        .<RecordDecoder>map(task -> new RawDecoder(task, options.maxMessageSize(), (_, _) -> {}))
        .orElseGet(() ->
            new ActivationDecoder(
                maxDelaySeconds,
                options.maxMessageSize(),
                new TimeWarnings(new TopicCounts(source.topic(), new Metrics()))));
  }

  /// @param topicId UUID of the topic
  /// @param now time of arrival, milliseconds since the epoch
  public Preview decode(String topicId, ConsumerRecord<byte[], byte[]> message, long now) {
    UnreadRecord unread = UnreadRecord.of(message);
    if (unread != null) {
      IngestedRecord record = RecordDecoder.undecodable(message, new byte[0], now, unread.reason());
      return new Preview(record.activation(), record.undecodable(), false);
    }
    var partition =
        new SourcePartition("", source.group(), topicId, message.topic(), message.partition());
    IngestedRecord record = decoder.decode(partition, message, now);
    Activation activation = record.activation();
    boolean clamped =
        source.raw().isEmpty()
            && activation.delayUntil() != 0
            && activation.delayUntil()
                != withoutBound.decode(partition, message, now).activation().delayUntil();
    return new Preview(activation, record.undecodable(), clamped);
  }

  @Override
  public void close() {
    decoder.close();
    withoutBound.close();
  }
}
