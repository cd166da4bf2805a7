package io.taskbroker.inflight;

/// The way to the engine. Thread-safe; nothing of it blocks.
public interface CommandSink {
  /// Hands over a worker's request, or answers it as unavailable when there are too many (H14).
  void request(Command.Request request);

  /// Hands over what Kafka brings, or what another part of the broker has done: never refused,
  /// since its sender bounds it.
  void submit(Command command);
}
