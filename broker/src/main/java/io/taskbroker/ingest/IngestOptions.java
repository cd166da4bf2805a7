package io.taskbroker.ingest;

/// Options for reading, common to all topics.
///
/// @param instanceId unique name of this broker, the same after a restart: Kafka gives a broker
///   that was killed its partitions back at once
/// @param maxDelaySeconds upper bound of an activation's delay; a longer one is clamped
/// @param maxMessageSize a record with a larger value, in bytes, is undecodable
/// @param readAheadRecords records of a topic that the engine may have before reading pauses
/// @param readAheadBytes bytes of a topic that the engine may have before reading pauses
/// @param batchRecords records handed over at a time
/// @param limits bounds of the heap that reading takes
public record IngestOptions(
    String instanceId,
    long maxDelaySeconds,
    int maxMessageSize,
    int readAheadRecords,
    long readAheadBytes,
    int batchRecords,
    IntakeLimits limits) {
  /// Options of a broker with one topic.
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
