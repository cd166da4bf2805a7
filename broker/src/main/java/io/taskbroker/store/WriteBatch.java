package io.taskbroker.store;

import io.taskbroker.activation.Change;
import java.util.List;

/// Changes that become durable together.
///
/// @param number ascending from batch to batch of one run of a broker; the same when a batch is
///   tried again
public record WriteBatch(long number, List<Change> changes) {}
