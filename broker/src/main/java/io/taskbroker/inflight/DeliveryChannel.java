package io.taskbroker.inflight;

/// Way by which tasks reach workers. The dispatcher delivers while a channel has credits, and knows
/// nothing else of it; channels are registered with the [ApplicationQueue] that they serve, or
/// serve one request and are gone. Not thread-safe: called by the engine only.
///
/// A channel that [#confirms] tells the end of each delivery by [Command.PushEnded]: accepted,
/// refused, lost. With any other channel a delivery counts as accepted.
interface DeliveryChannel {
  /// How many more tasks it takes now.
  ///
  /// @param now monotonic milliseconds
  int credits(long now);

  /// Whether it takes this task while it has credits.
  boolean accepts(InFlightTask task);

  /// Takes up a credit for a task. [#deliver], or [#release] if the task cannot be delivered after
  /// all, follows once its status is durable.
  void reserve(InFlightTask task);

  /// Gives up a reservation.
  void release(Effects effects);

  /// Delivers a task that it has reserved.
  void deliver(Effects effects, Delivery delivery);

  /// Whether the worker confirms each delivery.
  boolean confirms();

  /// Whether what is delivered would not arrive.
  boolean isClosed();
}
