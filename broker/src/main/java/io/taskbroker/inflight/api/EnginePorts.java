package io.taskbroker.inflight.api;

/// Ports by which the engine reaches the stages. Answers to the callers of a [Command] go to the
/// replies that they sent with it.
public record EnginePorts(
    StorePort store, PushPort push, OutboxPort outbox, OffsetPort offsets, EventPort events) {}
