package io.taskbroker.ingest;

import io.taskbroker.ingest.fetch.FetchLimits;

/// What reading Kafka may take of the heap (G7): parts of it, of which each topic gets its share.
///
/// @param readAheadBytes what of a topic may be between a poll and the store
/// @param totalBytes the same of all topics together, with what a poll decodes at the moment
/// @param fetchBytes what a topic asks of a node of Kafka at a time, as it is on the wire
/// @param maxValueBytes a record with a larger value is not read
/// @param maxBlockBytes what a codec may decompress at once
/// @param maxResponseBytes a larger response is not read
public record IntakeLimits(
    long readAheadBytes,
    long totalBytes,
    int fetchBytes,
    int maxValueBytes,
    int maxBlockBytes,
    int maxResponseBytes) {
  private static final long LEAST_SHARE = 256 << 10;
  private static final long LARGEST_SHARE = 16 << 20;

  /// What is too large for a task is kept for the dead-letter topic up to this.
  private static final long LARGEST_KEPT = 32 << 20;

  private static final int MAX_RAW_HEADERS = 1_024;
  private static final int RAW_COPIES = 4; // the record, its argument, compressed, the activation
  private static final int BLOCK_SLACK = 64 << 10;
  private static final long MAX_INFLATED_BYTES = 1 << 30;

  /// The limits of a heap.
  ///
  /// @param topics how many topics are read
  /// @param maxMessageSize the largest activation
  public static IntakeLimits of(long heapBytes, int topics, int maxMessageSize) {
    int sharers = Math.max(1, topics);
    long value =
        Math.min(Math.max(maxMessageSize, Math.min(heapBytes / 32, LARGEST_KEPT)), heapBytes / 8);
    return new IntakeLimits(
        Math.clamp(heapBytes / 8 / sharers, LEAST_SHARE, LARGEST_SHARE),
        heapBytes / 8 + heapBytes / 32,
        (int) Math.clamp(heapBytes / 16 / sharers, LEAST_SHARE, LARGEST_SHARE),
        atMost(value),
        atMost(Math.max(value + BLOCK_SLACK, heapBytes / 16)),
        atMost(heapBytes / 4));
  }

  private static int atMost(long bytes) {
    return (int) Math.min(bytes, Integer.MAX_VALUE - Byte.MAX_VALUE);
  }

  /// The bounds of the records of a topic.
  ///
  /// @param raw whether its records are arguments of a task, whose headers go with it
  FetchLimits fetch(boolean raw) {
    return raw
        ? fetch(Math.min(maxValueBytes, RawDecoder.MAX_VALUE_BYTES), MAX_RAW_HEADERS, RAW_COPIES)
        : fetch(maxValueBytes, 0, 1);
  }

  private FetchLimits fetch(int value, int headers, int copies) {
    return new FetchLimits(
        value, headers, copies, maxBlockBytes, MAX_INFLATED_BYTES, maxResponseBytes);
  }
}
