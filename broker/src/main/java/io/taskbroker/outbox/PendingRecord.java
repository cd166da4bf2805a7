package io.taskbroker.outbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.BuildInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/// Record that the outbox has not finished. Sent by one thread at a time.
final class PendingRecord {
  /// Header with the version of the broker that produced a record; present only beside other
  /// headers.
  static final String VERSION_HEADER = "taskbroker-broker-version";

  final OutboxRecord outboxRecord;

  /// Time of its acceptance, in nanoseconds of [System#nanoTime].
  final long since;

  private final TopicSender sender;

  /// Set if Kafka found the record too large with its headers: it is sent without them.
  private volatile boolean headersDropped;

  PendingRecord(OutboxRecord outboxRecord, TopicSender sender, long since) {
    this.outboxRecord = outboxRecord;
    this.sender = sender;
    this.since = since;
  }

  /// Sends the record; the sender receives the outcome, perhaps before this returns.
  ///
  /// @param keyed whether the message has the id as its key
  void send(Producer<byte[], byte[]> producer, int partitions, boolean keyed) {
    var attempt = new Attempt(producer, keyed);
    try {
      var record =
          new ProducerRecord<byte[], byte[]>(
              outboxRecord.destination().topic(),
              partition(outboxRecord.partitionKey(), partitions),
              null,
              keyed ? outboxRecord.id().getBytes(UTF_8) : null,
              outboxRecord.payload(),
              headers());
      var _ = producer.send(record, attempt); // the callback gets every outcome
    } catch (RuntimeException e) {
      attempt.complete(e);
    }
  }

  /// One attempt to send. A producer in an error state may accept a record, throw, and fail the
  /// record once more when it closes: only its first outcome counts.
  private final class Attempt implements Callback {
    private final Producer<byte[], byte[]> by;
    private final boolean keyed;
    private final AtomicBoolean completed = new AtomicBoolean();

    Attempt(Producer<byte[], byte[]> by, boolean keyed) {
      this.by = by;
      this.keyed = keyed;
    }

    @Override
    public void onCompletion(RecordMetadata metadata, @Nullable Exception failure) {
      complete(failure);
    }

    void complete(@Nullable Exception failure) {
      if (!completed.compareAndSet(false, true)) {
        return;
      }
      if (failure == null) {
        sender.acknowledged(PendingRecord.this);
      } else {
        sender.failed(PendingRecord.this, failure, by, keyed);
      }
    }
  }

  /// The partition of a key: the same for every copy, as long as the topic does not grow (H8).
  static int partition(String key, int partitions) {
    return Utils.toPositive(Utils.murmur2(key.getBytes(UTF_8))) % partitions;
  }

  /// Drops the headers, so that a record fits whose value does. Returns whether there were any.
  boolean dropHeaders() {
    boolean had = !headersDropped && !outboxRecord.destination().headers().isEmpty();
    headersDropped = true;
    return had;
  }

  private List<Header> headers() {
    Map<String, String> headersToSend = outboxRecord.destination().headers();
    if (headersDropped || headersToSend.isEmpty()) {
      return List.of();
    }
    var headers = new ArrayList<Header>(headersToSend.size() + 1);
    headersToSend.forEach((name, value) -> headers.add(header(name, value)));
    headers.add(header(VERSION_HEADER, BuildInfo.current().version()));
    return headers;
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, value.getBytes(UTF_8));
  }
}
