package io.taskbroker.engine;

import io.taskbroker.inflight.EnginePorts;
import io.taskbroker.inflight.EventPort;
import io.taskbroker.inflight.OffsetPort;
import io.taskbroker.inflight.OutboxPort;
import io.taskbroker.inflight.PushPort;

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
