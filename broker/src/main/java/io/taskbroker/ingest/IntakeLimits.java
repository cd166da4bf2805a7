package io.taskbroker.ingest;

import io.taskbroker.ingest.fetch.FetchLimits;

/// Bounds of the heap that reading Kafka may take (G7), as fractions of it that the topics share.
///
/// @param readAheadBytes bound of one topic's records between a poll and the store
/// @param totalBytes the same for all topics together, including what a poll is decoding
/// @param fetchBytes size of a topic's fetch from one Kafka node, on the wire
/// @param maxValueBytes a record with a larger value is not read
/// @param maxBlockBytes bound of what a codec may decompress at once
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

  /// A value too large for a task is kept for the dead-letter topic up to this size.
  private static final long LARGEST_KEPT = 32 << 20;

  private static final int MAX_RAW_HEADERS = 1_024;
  private static final int RAW_COPIES = 4; // the record, its argument, compressed, the activation
  private static final int BLOCK_SLACK = 64 << 10;
  private static final long MAX_INFLATED_BYTES = 1 << 30;

  /// Limits for a heap of the given size.
  ///
  /// @param topics number of topics that are read
  /// @param maxMessageSize size of the largest activation
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

  /// Limits of the fetches of one topic.
  ///
  /// @param raw whether its records are arguments of a task and keep their headers
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
