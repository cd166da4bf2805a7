package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/// Check whether the log of a partition still has the records that were read of it. An unclean
/// election, or a volume that is put back, cuts a log off, and new records get the offsets of those
/// that are gone (docs/adr/0012).
interface LogProbe {
  /// The timestamp of a record that is not known.
  long NO_TIMESTAMP = -1;

  /// Asks nobody, and believes in every log.
  LogProbe NONE = _ -> Map.of();

  /// @param read one record that was read of each partition
  /// @return of each partition whose log does not have that record, where it was cut off
  /// @throws org.apache.kafka.common.KafkaException if that cannot be found out now
  Map<TopicPartition, Cut> check(Map<TopicPartition, RecordIdentity> read);

  /// Where a log was cut off.
  ///
  /// @param offset everything below is what was read, as far as is known
  /// @param exact whether leader epochs say so; else timestamps do, and records from the offset on
  ///   may be known ones
  record Cut(long offset, boolean exact) {}
}
