package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/// Check of whether the log of a partition still has the records that were read from it. An unclean
/// election or a restored volume truncates a log, and new records get the offsets of the lost ones
/// (docs/adr/0012).
interface LogProbe {
  /// Timestamp of an unknown record.
  long NO_TIMESTAMP = -1;

  /// Probe that reports no truncation.
  LogProbe NONE = _ -> Map.of();

  /// @param read one record that was read of each partition
  /// @return the truncation point of each partition whose log does not have that record
  /// @throws org.apache.kafka.common.KafkaException if Kafka cannot tell now
  Map<TopicPartition, Cut> check(Map<TopicPartition, RecordIdentity> read);

  /// Truncation point of a log.
  ///
  /// @param offset every record below it is the one that was read, as far as is known
  /// @param exact whether leader epochs tell the offset; else timestamps do, and records from it on
  ///   may be known ones
  record Cut(long offset, boolean exact) {}
}
