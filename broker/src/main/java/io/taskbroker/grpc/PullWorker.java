package io.taskbroker.grpc;

import java.time.Duration;
import java.util.Optional;

/// Connection on which somebody asked for tasks. It may be one worker, or a proxy in front of many.
///
/// @param address host and port of the caller
/// @param application that it asked for last; empty for any
/// @param open how long the connection has been open
/// @param sinceAsked time since it last asked for a task
/// @param sinceReported time since it last reported; empty if it never did
public record PullWorker(
    String address,
    Optional<String> application,
    Duration open,
    Duration sinceAsked,
    Optional<Duration> sinceReported) {}
