package io.taskbroker.outbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.inflight.Departure;
import java.util.List;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/// A departure on its way. Sent by one thread at a time.
final class Parcel implements Callback {
  final Departure departure;

  /// When it was handed over, in nanoseconds of [System#nanoTime].
  final long since;

  private final Lane lane;
  private @Nullable Producer<byte[], byte[]> by;

  Parcel(Departure departure, Lane lane, long since) {
    this.departure = departure;
    this.lane = lane;
    this.since = since;
  }

  /// Hands it to the producer; the lane hears what became of it, perhaps before this returns.
  void send(Producer<byte[], byte[]> producer, int partitions) {
    by = producer;
    var record =
        new ProducerRecord<byte[], byte[]>(
            departure.destination().topic(),
            partition(departure.partitionKey(), partitions),
            null,
            null,
            departure.payload(),
            headers());
    var _ = producer.send(record, this); // the callback hears all
  }

  @Override
  public void onCompletion(RecordMetadata metadata, @Nullable Exception failure) {
    if (failure == null) {
      lane.acknowledged(this);
    } else {
      lane.failed(this, failure, by);
    }
  }

  /// The partition of a key: the same for every copy, as long as the topic does not grow (H8).
  static int partition(String key, int partitions) {
    return Utils.toPositive(Utils.murmur2(key.getBytes(UTF_8))) % partitions;
  }

  private List<Header> headers() {
    if (departure.destination().headers().isEmpty()) {
      return List.of();
    }
    return departure.destination().headers().entrySet().stream()
        .<Header>map(entry -> new RecordHeader(entry.getKey(), entry.getValue().getBytes(UTF_8)))
        .toList();
  }
}
