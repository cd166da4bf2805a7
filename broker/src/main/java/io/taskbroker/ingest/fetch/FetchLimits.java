package io.taskbroker.ingest.fetch;

/// Bounds of what a consumer allocates for records.
///
/// @param maxValueBytes a record with a larger value is oversized
/// @param maxHeaders a record with more headers is oversized; 0 if headers are ignored and skipped,
///   except for those of a trace context beside a value
/// @param copies number of copies of a value in memory until its record is handed over
/// @param maxBlockBytes bound of what a codec must decompress at once: a block of snappy, or a
///   batch of an old format
/// @param maxInflatedBytes bound of a decompressed batch; the records past it are oversized
/// @param maxResponseBytes a larger response of Kafka is refused, and its connection closed
public record FetchLimits(
    int maxValueBytes,
    int maxHeaders,
    int copies,
    int maxBlockBytes,
    long maxInflatedBytes,
    int maxResponseBytes) {

  /// Limits for a consumer that reads offsets and timestamps only, and allocates no value.
  public FetchLimits withoutValues() {
    return new FetchLimits(0, 0, copies, maxBlockBytes, maxInflatedBytes, maxResponseBytes);
  }
}
