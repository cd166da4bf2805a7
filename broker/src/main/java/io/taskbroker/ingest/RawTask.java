package io.taskbroker.ingest;

import java.time.Duration;

/// Task whose argument is a record of a raw topic (reference-spec 9.9).
///
/// @param deadline processing deadline, in whole seconds
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
