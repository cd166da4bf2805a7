package io.taskbroker.inflight.api;

/// Input of the engine. Thread-safe; no method blocks.
public interface CommandSink {
  /// Submits a worker's request, or answers it as unavailable if too many are waiting (H14).
  void request(Command.Request request);

  /// Submits a record batch from Kafka, or the outcome of an effect. Never refused: the sender
  /// bounds its number.
  void submit(Command command);
}
