package io.taskbroker.config;

import java.time.Duration;

/// Task that wraps a message of a raw topic as its argument.
///
/// @param application a key of the worker map
/// @param compressionLevel zstd level; -1 for no compression
public record RawConfig(
    String namespace,
    String application,
    String taskname,
    Duration processingDeadline,
    int compressionLevel) {}
