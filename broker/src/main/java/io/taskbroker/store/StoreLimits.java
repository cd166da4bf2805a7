package io.taskbroker.store;

/// Limits that both stores have.
public final class StoreLimits {
  /// Payload bytes at which a page ends, however few rows it has (G7).
  public static final int PAGE_BYTES = 4 << 20;

  /// Bytes of the records of finished tasks, unless an operator says otherwise.
  public static final long FINISHED_BYTES = 256_000_000;

  private StoreLimits() {}

  /// Used bytes beyond which a store refuses inserts: an eighth above `store.max_size`, where
  /// back-pressure stops.
  ///
  /// @param maxBytes `store.max_size`; 0 for no limit
  public static long insertLimit(long maxBytes) {
    long eighth = maxBytes / 8;
    return maxBytes == 0 || maxBytes > Long.MAX_VALUE - eighth ? Long.MAX_VALUE : maxBytes + eighth;
  }
}
