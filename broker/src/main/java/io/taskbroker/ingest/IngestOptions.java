package io.taskbroker.ingest;

/// How the broker reads, whatever the topic.
///
/// @param instanceId names this broker, the same after a restart and unlike any other's: Kafka
///   gives a broker that was killed its partitions back at once
/// @param maxDelaySeconds a longer delay of an activation is cut to this
/// @param maxMessageSize a record whose value has more bytes is undecodable
/// @param readAheadRecords how many records of a topic may be with the engine before reading pauses
/// @param readAheadBytes how many bytes of a topic may be with the engine before reading pauses
/// @param batchRecords how many records are handed over at a time
/// @param limits what all of it may take of the heap
public record IngestOptions(
    String instanceId,
    long maxDelaySeconds,
    int maxMessageSize,
    int readAheadRecords,
    long readAheadBytes,
    int batchRecords,
    IntakeLimits limits) {
  /// Of a broker with one topic.
  IngestOptions(
      String instanceId,
      long maxDelaySeconds,
      int maxMessageSize,
      int readAheadRecords,
      long readAheadBytes,
      int batchRecords) {
    this(
        instanceId,
        maxDelaySeconds,
        maxMessageSize,
        readAheadRecords,
        readAheadBytes,
        batchRecords,
        IntakeLimits.of(Runtime.getRuntime().maxMemory(), 1, maxMessageSize));
  }

  public IngestOptions {
    if (instanceId.isBlank()) {
      throw new IllegalArgumentException("instanceId must not be blank");
    }
    requireAtLeast("maxDelaySeconds", maxDelaySeconds, 0);
    requireAtLeast("maxMessageSize", maxMessageSize, 1);
    requireAtLeast("readAheadRecords", readAheadRecords, 1);
    requireAtLeast("readAheadBytes", readAheadBytes, 1);
    requireAtLeast("batchRecords", batchRecords, 1);
  }

  private static void requireAtLeast(String name, long value, long least) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ", not " + value);
    }
  }
}
