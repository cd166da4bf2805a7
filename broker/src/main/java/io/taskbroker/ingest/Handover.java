package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Intake;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Makes arrivals of records and hands them to the engine, accounted for. Used by the thread that
/// polls.
final class Handover {
  private final RecordDecoder decoder;
  private final Ledgers ledgers;
  private final Intake intake;
  private final TopicCounts counts;

  Handover(RecordDecoder decoder, Ledgers ledgers, Intake intake, TopicCounts counts) {
    this.decoder = decoder;
    this.ledgers = ledgers;
    this.intake = intake;
    this.counts = counts;
  }

  /// Hands over what a poll brought of a partition.
  ///
  /// @param next where the records after these begin
  /// @param now milliseconds since the epoch
  void handOver(
      SourcePartition partition,
      List<ConsumerRecord<byte[], byte[]>> records,
      long next,
      long now) {
    var arrivals = new ArrayList<Command.Arrival>(records.size());
    long bytes = 0;
    for (ConsumerRecord<byte[], byte[]> each : records) {
      Command.Arrival arrival = decoder.decode(partition, each, now);
      counts.message(arrival.activation());
      bytes += arrival.activation().payload().length;
      arrivals.add(arrival);
    }
    counts.handedOver(arrivals.size(), bytes);
    RecordIdentity last = records.isEmpty() ? null : identity(records.getLast());
    ledgers.handedOver(partition, next, arrivals.size(), bytes, last);
    intake.tell(new Command.Ingest(partition, arrivals, next, bytes, last));
  }

  private static RecordIdentity identity(ConsumerRecord<byte[], byte[]> record) {
    return new RecordIdentity(
        record.offset(), record.leaderEpoch().orElse(RecordIdentity.NO_EPOCH), record.timestamp());
  }
}
