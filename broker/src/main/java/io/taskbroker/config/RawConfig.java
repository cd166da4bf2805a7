package io.taskbroker.config;

import java.time.Duration;

/// The task that a message of a raw topic is an argument of.
///
/// @param application one that the worker map knows
/// @param compressionLevel of zstd; -1 for no compression
public record RawConfig(
    String namespace,
    String application,
    String taskname,
    Duration processingDeadline,
    int compressionLevel) {}
