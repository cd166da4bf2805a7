package io.taskbroker.activation;

/// Identity of a Kafka record that was read. An offset alone is none: a log that was cut off, by an
/// unclean election or a volume that was put back, gives the same offset to another record
/// (docs/adr/0012).
///
/// @param leaderEpoch the epoch of the leader that appended it; -1 if the record does not say
/// @param timestamp of the record, milliseconds since the epoch
public record RecordIdentity(long offset, int leaderEpoch, long timestamp) {
  public static final int NO_EPOCH = -1;
}
