package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.fetch.UnreadRecord;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Decodes records, registers them in the offset ledger, and passes them to the engine. Used by the
/// thread that polls.
final class RecordSubmitter {
  private static final Logger log = LoggerFactory.getLogger(RecordSubmitter.class);
  private static final long WARN_EVERY_MILLIS = 10_000;
  private static final byte[] NOTHING = {};

  private final RecordDecoder decoder;
  private final PartitionOffsets offsets;
  private final CommandSink commands;
  private final TopicCounts counts;
  private long warnedAt = Long.MIN_VALUE / 2;

  RecordSubmitter(
      RecordDecoder decoder, PartitionOffsets offsets, CommandSink commands, TopicCounts counts) {
    this.decoder = decoder;
    this.offsets = offsets;
    this.commands = commands;
    this.counts = counts;
  }

  /// Hands over the records that a poll returned of a partition.
  ///
  /// @param next offset of the record after these
  /// @param now milliseconds since the epoch
  void handOver(
      SourcePartition partition,
      List<ConsumerRecord<byte[], byte[]>> records,
      long next,
      long now) {
    var arrivals = new ArrayList<Command.IngestedRecord>(records.size());
    var identities = new ArrayList<RecordIdentity>(records.size());
    long bytes = 0;
    for (ConsumerRecord<byte[], byte[]> each : records) {
      RecordIdentity identity = RecordDecoder.identity(each);
      Command.IngestedRecord arrival = arrival(partition, each, now).with(identity);
      identities.add(identity);
      counts.message(arrival.activation());
      bytes += arrival.activation().payload().length;
      arrivals.add(arrival);
    }
    counts.handedOver(arrivals.size(), bytes);
    RecordIdentity last = identities.isEmpty() ? null : identities.getLast();
    offsets.handedOver(partition, next, arrivals.size(), bytes, identities);
    commands.submit(new Command.Ingest(partition, arrivals, next, bytes, last));
  }

  private Command.IngestedRecord arrival(
      SourcePartition partition, ConsumerRecord<byte[], byte[]> message, long now) {
    UnreadRecord flaw = UnreadRecord.of(message);
    if (flaw != null) {
      counts.oversized();
      warn(message, flaw, now);
      return RecordDecoder.undecodable(message, NOTHING, now, flaw.reason());
    }
    try {
      return decoder.decode(partition, message, now);
    } catch (RuntimeException e) {
      // No decoder throws; one that did would stop the topic at this record for ever.
      log.error("Cannot decode {}", RecordDecoder.origin(message), e);
      return RecordDecoder.undecodable(message, NOTHING, now, "cannot be decoded: " + e);
    }
  }

  private void warn(ConsumerRecord<byte[], byte[]> message, UnreadRecord flaw, long now) {
    if (now - warnedAt >= WARN_EVERY_MILLIS || now < warnedAt) {
      warnedAt = now;
      log.warn(
          "Record {} of {}-{} is not read and becomes a dead letter without a payload: {}",
          message.offset(),
          message.topic(),
          message.partition(),
          flaw.reason());
    }
  }
}
