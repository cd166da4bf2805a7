package io.taskbroker.engine;

import io.taskbroker.inflight.api.EnginePorts;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.OffsetPort;
import io.taskbroker.inflight.api.OutboxPort;
import io.taskbroker.inflight.api.PushPort;

/// Stages that an [EngineLoop] drives. None of them blocks the engine (H14).
public record StagePorts(
    CommitterPort committer,
    PushPort push,
    OutboxPort outbox,
    OffsetPort offsets,
    EventPort events) {
  /// The engine's ports, with a store that batches.
  EnginePorts with(StoreBatch store) {
    return new EnginePorts(store, push, outbox, offsets, events);
  }
}
