package io.taskbroker.ingest.fetch;

/// Bounds of what a consumer allocates for records.
///
/// @param maxValueBytes a record with a larger value is oversized
/// @param maxHeaders a record with more headers is oversized; 0 if headers mean nothing, and are
///   skipped
/// @param copies how often a value is in memory until its record is handed over
/// @param maxBlockBytes what a codec must decompress at once is no larger: a block of snappy, a
///   batch of an old format
/// @param maxInflatedBytes of a batch that decompresses to more the rest is oversized
/// @param maxResponseBytes a larger response of Kafka is refused, and its connection closed
public record FetchLimits(
    int maxValueBytes,
    int maxHeaders,
    int copies,
    int maxBlockBytes,
    long maxInflatedBytes,
    int maxResponseBytes) {

  /// The same of a consumer that looks at offsets and times only, and allocates no value.
  public FetchLimits withoutValues() {
    return new FetchLimits(0, 0, copies, maxBlockBytes, maxInflatedBytes, maxResponseBytes);
  }
}
