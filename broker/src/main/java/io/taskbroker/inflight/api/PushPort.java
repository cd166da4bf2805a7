package io.taskbroker.inflight.api;

/// Caller of workers. Called by the engine's thread; must not block or call the engine back before
/// the engine returns.
public interface PushPort {
  /// Calls a worker of the delivery's application now; answered by [Command.PushEnded].
  void push(Delivery delivery);
}
