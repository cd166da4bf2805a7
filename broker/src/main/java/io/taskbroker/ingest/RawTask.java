package io.taskbroker.ingest;

import java.time.Duration;

/// The task that each record of a raw topic is the argument of (reference-spec 9.9).
///
/// @param deadline how long a worker may take; in whole seconds
/// @param compressionLevel of zstd; [#UNCOMPRESSED] for no compression
public record RawTask(
    String application,
    String namespace,
    String taskname,
    Duration deadline,
    int compressionLevel) {
  public static final int UNCOMPRESSED = -1;

  boolean compresses() {
    return compressionLevel != UNCOMPRESSED;
  }
}
