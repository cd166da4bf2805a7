package io.taskbroker.inflight.api;

import java.util.List;

/// Worker with a stream, at one moment. Immutable.
///
/// @param namespaces only tasks of these; empty for all
/// @param slots number of tasks that it has at once
/// @param inUse slots that are taken
/// @param tasks ids of some of the tasks that it has
public record WorkerStats(
    WorkerSession.Description worker,
    String application,
    List<String> namespaces,
    int slots,
    int inUse,
    List<String> tasks) {}
