package io.taskbroker.ingest;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.ingest.fetch.UnreadRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Decoder of a topic for tools that read it beside its brokers: gives the activations that intake
/// would give. One thread.
public final class RecordPreview implements AutoCloseable {
  private final TopicSource source;
  private final RecordDecoder decoder;

  /// Whether the delay of the record that was decoded last is clamped.
  private boolean delayClamped;

  /// One record.
  ///
  /// @param flaw why it becomes a dead letter; null if it can be decoded
  /// @param delayClamped whether it asks for a longer delay than the broker allows
  public record Preview(Activation activation, @Nullable String flaw, boolean delayClamped) {}

  public RecordPreview(TopicSource source, IngestOptions options) {
    this.source = source;
    this.decoder =
        source
            .raw()
            .<RecordDecoder>map(
                task -> new RawDecoder(task, options.maxMessageSize(), (_, _) -> {}))
            .orElseGet(() ->
                new ActivationDecoder(
                    options.maxDelaySeconds(), options.maxMessageSize(), new Clamps()));
  }

  private final class Clamps implements ActivationDecoder.TimeChanges {
    @Override
    public void delayCut(String taskname, long asked, long allowed, long now) {
      delayClamped = true;
    }

    @Override
    public void clockAhead(String taskname, long millis, long now) {}
  }

  /// @param topicId UUID of the topic
  /// @param now time of arrival, milliseconds since the epoch
  public Preview decode(String topicId, ConsumerRecord<byte[], byte[]> message, long now) {
    delayClamped = false;
    UnreadRecord unread = UnreadRecord.of(message);
    IngestedRecord record =
        unread != null
            ? RecordDecoder.undecodable(message, new byte[0], now, unread.reason())
            : decoder.decode(
                new SourcePartition(
                    "", source.group(), topicId, message.topic(), message.partition()),
                message,
                now);
    return new Preview(record.activation(), record.undecodable(), delayClamped);
  }

  @Override
  public void close() {
    decoder.close();
  }
}
