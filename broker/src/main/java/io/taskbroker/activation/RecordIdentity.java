package io.taskbroker.activation;

/// Identity of a Kafka record. The offset alone is not enough: after an unclean leader election or
/// a restored volume, Kafka assigns the same offset to another record (docs/adr/0012).
///
/// @param leaderEpoch epoch of the leader that appended the record; -1 if the record has none
/// @param timestamp of the record, milliseconds since the epoch
public record RecordIdentity(long offset, int leaderEpoch, long timestamp) {
  public static final int NO_EPOCH = -1;
}
