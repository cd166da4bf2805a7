package io.taskbroker.inflight.api;

/// Producer of forwarded records. Called by the engine's thread; must not block or call the engine
/// back before the engine returns.
public interface OutboxPort {
  /// Produces a record, as often as it takes; answered by [Command.Produced] or
  /// [Command.ProduceRefused].
  void produce(OutboxRecord record);
}
